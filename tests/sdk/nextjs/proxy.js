// Refreshes for pages that are rendered on the server.
import { superTokensMiddleware } from "supertokens-auth-react/nextjs/middleware";
import { appInfo } from "./info.js";

export const proxy = superTokensMiddleware({ appInfo });
