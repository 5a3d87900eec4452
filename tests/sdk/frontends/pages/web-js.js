// supertokens-web-js: recipes without pages.
import SuperTokens from "supertokens-web-js";
import EmailPassword from "supertokens-web-js/recipe/emailpassword";
import EmailVerification from "supertokens-web-js/recipe/emailverification";
import Session from "supertokens-web-js/recipe/session";
import { use } from "./recipes.js";

use(SuperTokens, EmailPassword, EmailVerification, Session);
