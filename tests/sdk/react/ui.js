// The SDK's prebuilt pages in a tab. Their elements are in a shadow root, which locators can look into; the attributes
// are the pages' own.
const input = (tab, name) => tab.locator(`[data-supertokens~="input"][name="${name}"]`);
const button = (tab, name) => tab.getByRole("button", { name, exact: true });

export const goTo = (tab, url) => tab.goto(url, { waitUntil: "domcontentloaded" });
export const sees = (tab, text) => tab.getByText(text).first().waitFor();
export const follow = (tab, text) => tab.locator('[data-supertokens~="link"]', { hasText: text }).click();
export const press = (tab, name) => button(tab, name).click();
export const asksFor = (tab, name) => input(tab, name).waitFor();
export const picture = (tab, name) =>
  tab.screenshot({ path: `${process.env.ARTIFACTS}/${name}.png`, animations: "disabled" });

export async function fill(tab, values) {
  for (const [name, value] of Object.entries(values)) await input(tab, name).fill(value);
}

export async function signIn(tab, email, password) {
  await fill(tab, { email, password });
  await press(tab, "SIGN IN");
}

/** To another form by its link. The forms name their fields alike: filled too early, the one that goes away takes the text along. */
export async function changeForm(tab, link, submit) {
  await follow(tab, link);
  await button(tab, submit).waitFor();
}

export async function signUp(tab, email, password) {
  await changeForm(tab, "Sign Up", "SIGN UP");
  await fill(tab, { email, password });
  await press(tab, "SIGN UP");
}

/** Sets a new password on the page to which the mailed link leads. */
export async function setPassword(tab, link, password) {
  await goTo(tab, link);
  await fill(tab, { password, "confirm-password": password });
  await press(tab, "CHANGE PASSWORD");
}
