"use client";
import SuperTokens, { SuperTokensWrapper } from "supertokens-auth-react";
import EmailPassword from "supertokens-auth-react/recipe/emailpassword";
import Session, { signOut } from "supertokens-auth-react/recipe/session";
import { appInfo } from "../info.js";

if (typeof window !== "undefined") SuperTokens.init({ appInfo, recipeList: [EmailPassword.init(), Session.init()] });

export const Frontend = ({ children }) => <SuperTokensWrapper>{children}</SuperTokensWrapper>;

export function SignOut() {
  const leave = async () => {
    await signOut();
    location.assign("/auth");
  };
  return <button onClick={leave}>Sign out</button>;
}
