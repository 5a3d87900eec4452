// What browser, server components and proxy say about the site alike.
export const appInfo = {
  appName: "Next",
  apiDomain: process.env.NEXT_PUBLIC_API,
  apiBasePath: "/api/auth",
  websiteDomain: process.env.NEXT_PUBLIC_WEBSITE,
  websiteBasePath: "/auth",
};
