// supertokens-web-js 0.8, with the supertokens-website 17 that it brings along: FDI 1.16 to 1.18.
import SuperTokens from "supertokens-web-js-0.8";
import EmailPassword from "supertokens-web-js-0.8/recipe/emailpassword";
import EmailVerification from "supertokens-web-js-0.8/recipe/emailverification";
import Session from "supertokens-web-js-0.8/recipe/session";
import { use } from "./recipes.js";

use(SuperTokens, EmailPassword, EmailVerification, Session);
