"use client";
import { useEffect, useState } from "react";
import { EmailPasswordPreBuiltUI } from "supertokens-auth-react/recipe/emailpassword/prebuiltui";
import { getRoutingComponent } from "supertokens-auth-react/ui";

export default function Auth() {
  const [isInBrowser, setIsInBrowser] = useState(false);
  useEffect(() => setIsInBrowser(true), []);
  return isInBrowser ? getRoutingComponent([EmailPasswordPreBuiltUI]) : null;
}
