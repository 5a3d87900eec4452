// A site of three pages: "/" for everyone with a verified address, "/admin" for admins, and "/auth…", which the SDK's
// prebuilt UI renders. Nothing here is specific to the test.
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import SuperTokens, { SuperTokensWrapper } from "supertokens-auth-react";
import EmailPassword from "supertokens-auth-react/recipe/emailpassword";
import { EmailPasswordPreBuiltUI } from "supertokens-auth-react/recipe/emailpassword/prebuiltui";
import EmailVerification from "supertokens-auth-react/recipe/emailverification";
import { EmailVerificationPreBuiltUI } from "supertokens-auth-react/recipe/emailverification/prebuiltui";
import Session, { SessionAuth, signOut, useSessionContext } from "supertokens-auth-react/recipe/session";
import { UserRoleClaim } from "supertokens-auth-react/recipe/userroles";
import { canHandleRoute, getRoutingComponent } from "supertokens-auth-react/ui";

SuperTokens.init({
  appInfo: { appName: "React", apiDomain: location.origin, websiteDomain: location.origin },
  recipeList: [EmailPassword.init(), EmailVerification.init({ mode: "REQUIRED" }), Session.init()],
});

const PREBUILT = [EmailPasswordPreBuiltUI, EmailVerificationPreBuiltUI];

async function leave() {
  await signOut();
  location.assign("/auth");
}

/** What the browser knows, and what the server answers. */
function Person() {
  const { userId } = useSessionContext();
  const [server, setServer] = useState();
  useEffect(() => {
    fetch("/me").then(async (reply) => setServer({ status: reply.status, ...(await reply.json()) }));
  }, []);
  return (
    <main>
      <h1>Signed in</h1>
      <p>
        In the browser: <b id="user">{userId}</b>
      </p>
      {server && (
        <p>
          On the server ({server.status}): <b id="server">{server.userId}</b>
        </p>
      )}
      <button onClick={leave}>Sign out</button>
    </main>
  );
}

const adminsOnly = (validators) => [...validators, UserRoleClaim.validators.includes("admin")];
const Denied = () => <main id="denied">Only admins come in here.</main>;

function Page() {
  if (canHandleRoute(PREBUILT)) return getRoutingComponent(PREBUILT);
  if (location.pathname === "/admin") {
    return (
      <SessionAuth overrideGlobalClaimValidators={adminsOnly} accessDeniedScreen={Denied}>
        <main id="admin">Welcome, admin.</main>
      </SessionAuth>
    );
  }
  return (
    <SessionAuth>
      <Person />
    </SessionAuth>
  );
}

createRoot(document.querySelector("#root")).render(
  <SuperTokensWrapper>
    <Page />
  </SuperTokensWrapper>,
);
