import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./app.css";
import { createTheme, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api.ts";
import { mayRetry } from "./queries.ts";
import { makeRouter } from "./routes.tsx";

const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 8 },
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
  headings: { fontWeight: "650" },
  components: {
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
  },
});

/** A session that has ended shows on any request: then `me` tells, and the frame asks to sign in. */
function whenRefused(error: Error): void {
  if (error instanceof ApiError && error.status === 401) {
    void client.invalidateQueries({ queryKey: ["me"] });
  }
}

const client = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.queryKey[0] !== "me") whenRefused(error);
    },
  }),
  mutationCache: new MutationCache({ onError: whenRefused }),
  defaultOptions: { queries: { retry: mayRetry, staleTime: 500 }, mutations: { retry: false } },
});

// A part of a version that is no longer served: the page starts anew with the one that is, once.
addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("outdial.restarted") ?? 0);
  if (Date.now() - last < 60_000) return;
  sessionStorage.setItem("outdial.restarted", String(Date.now()));
  location.reload();
});

const root = document.getElementById("root");
if (root === null) throw new Error("bug: a page without its root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      {/* Where no drawer is: one at the right would cover its buttons. */}
      <Notifications position="bottom-left" />
      <QueryClientProvider client={client}>
        <RouterProvider router={makeRouter(client)} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
