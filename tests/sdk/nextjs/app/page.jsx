// Rendered on the server, for people who are signed in.
import { cookies } from "next/headers";
import { getServerComponentSessionWithoutClaimValidation as sessionOf, init } from "supertokens-auth-react/nextjs/ssr";
import { appInfo } from "../info.js";
import { SignOut } from "./frontend.jsx";

init({ appInfo });

export default async function Home() {
  const { userId, accessTokenPayload } = await sessionOf(await cookies());
  return (
    <main>
      On the server: <b id="user">{userId}</b> in <b id="handle">{accessTokenPayload.sessionHandle}</b>
      <SignOut />
    </main>
  );
}
