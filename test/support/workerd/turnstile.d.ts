declare module "vitest" {
  interface ProvidedContext {
    turnstile: string;
  }
}

export {};
