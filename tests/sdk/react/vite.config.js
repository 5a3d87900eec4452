import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The SDK alone makes one large chunk, which is expected in a test.
export default defineConfig({ plugins: [react()], build: { chunkSizeWarningLimit: 4_000 } });
