import { Frontend } from "./frontend.jsx";

export const metadata = { title: "sessiond with Next.js" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <Frontend>{children}</Frontend>
      </body>
    </html>
  );
}
