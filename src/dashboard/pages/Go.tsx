import { useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

/**
 * Leads to another page, once. The router's own `Navigate` goes again with every render until the
 * page is there, and then an address that names the one before it grows without end.
 */
export function Go({ to }: { to: string }) {
  const router = useRouter();
  const gone = useRef(false);
  useEffect(() => {
    if (gone.current) return;
    gone.current = true;
    router.history.replace(to);
  }, [router, to]);
  return null;
}

/** Where somebody signs in who wanted this page. */
export function signInFor(href: string): string {
  return href === "/" ? "/sign-in" : `/sign-in?${new URLSearchParams({ to: href })}`;
}
