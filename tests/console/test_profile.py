"""What people do to themselves: password, one-time codes, sessions."""

from __future__ import annotations

from playwright.async_api import expect

from seatd.web.totp import code_at
from tests.console.conftest import Signed
from tests.console.visitor import PASSWORD, Visitor, now_step

FRESH = "another good pass phrase"


async def name_of(somebody: Visitor) -> str:
    """Who it is."""
    return str(await somebody.page.locator(".account strong").inner_text())


async def test_the_password_is_changed(signed: Signed, visitor: Visitor) -> None:
    somebody = await signed("/profile")
    somebody.expected = {403}
    await somebody.is_accessible()
    page = somebody.page
    await page.get_by_label("Present password").fill("wrong wrong wrong")
    await page.get_by_label("New password", exact=True).fill(FRESH)
    await page.get_by_label("New password, once more").fill("something else")
    await somebody.role("button", "Change password").click()
    await somebody.sees("The two are not the same.")
    await page.get_by_label("New password, once more").fill(FRESH)
    await somebody.role("button", "Change password").click()
    await somebody.sees("The password is wrong")
    await somebody.is_accessible()
    await page.get_by_label("Present password").fill(PASSWORD)
    await somebody.role("button", "Change password").click()
    await somebody.sees("The password was changed.")
    await visitor.visit("/sign-in")
    await visitor.page.get_by_label("Name").fill(await name_of(somebody))
    await visitor.page.get_by_label("Password").fill(FRESH)
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("button", name="Account of")).to_be_visible()
    await page.reload()
    await expect(somebody.role("region", "Your sessions").get_by_role("row")).to_have_count(3)
    visitor.expected = {401}
    await somebody.role("button", "End all others").click()
    await somebody.sees("1 other session ended.")
    await visitor.page.reload()
    await expect(visitor.role("heading", "Sign in")).to_be_visible()


async def test_one_time_codes_are_set_up_by_a_qr_code_and_done_without(signed: Signed) -> None:
    somebody = await signed("/profile", theme="dark", size=(360, 780))
    await somebody.role("button", "Set up one-time codes").click()
    await somebody.page.locator("totp-setup").get_by_label("Password").fill(PASSWORD)
    await somebody.role("button", "Continue").click()
    await expect(somebody.role("img", "QR code for your authenticator app")).to_be_visible()
    await somebody.is_accessible()
    secret = (await somebody.page.locator(".secret-line code").inner_text()).replace(" ", "")
    step = now_step()
    await somebody.page.get_by_label("Code that the app shows").fill(code_at(secret, step))
    await somebody.role("button", "Set up").click()
    await somebody.sees("Signing in takes a code that your app shows.")
    await somebody.role("button", "Do without").click()
    dialog = somebody.dialog("Do without one-time codes?")
    await dialog.get_by_label("One-time code").fill(
        code_at(secret, max(step + 1, now_step()))
    )  # each is good once
    await dialog.get_by_role("button", name="Do without").click()
    await somebody.sees("Signing in takes only the password.")


async def test_all_sessions_are_ended(signed: Signed) -> None:
    somebody = await signed("/profile")
    somebody.expected = {401}
    await somebody.role("button", "End all, this one too").click()
    await somebody.dialog("End all your sessions?").get_by_role("button", name="End all").click()
    await expect(somebody.role("heading", "Sign in")).to_be_visible()
