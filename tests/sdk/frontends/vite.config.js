import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const input = ["website", "web-js", "web-js-0.8", "auth-react", "prebuilt"].map((name) => `${name}.html`);

// The SDK alone makes one large chunk, which is expected in a test.
export default defineConfig({ plugins: [react()], build: { rollupOptions: { input }, chunkSizeWarningLimit: 4_000 } });
