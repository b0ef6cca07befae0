/// <reference types="@cloudflare/vitest-plugin/types" />

declare module "vitest" {
  interface ProvidedContext {
    carrier: { baseUrl: string; apiKey: string; reportSecret: string };
    vendors: Record<string, string>;
    receiver: string;
  }
}

export {};
