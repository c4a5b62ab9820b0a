"""What a person does in Airflow's own pages."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.browser.deployment import password_of


def log_in(page: Page, url: str, name: str) -> None:
    """Log in, from any page that leads to the log-in, and wait until that is done."""
    if page.url != url:
        page.goto(url)
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password_of(name))
    page.keyboard.press("Enter")
    page.wait_for_url(lambda reached: "/auth/login" not in reached)


def open_trigger_form(page: Page, url: str, dag: str = "case2code_build") -> Locator:
    """Open the trigger form of a DAG."""
    page.goto(f"{url}/dags/{dag}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog").filter(has_text="Trigger Dag")
    form.locator("[name=element_dump]").wait_for(state="attached")
    return form


def fill_option(form: Locator, option: str, value: str) -> None:
    """Fill a text field of the trigger form, in whatever section it is."""
    field = form.locator(f"[name=element_{option}]")
    if not field.is_visible():
        section = field.locator("xpath=ancestor::*[@data-part='item'][1]")
        section.locator("[data-part=item-trigger]").click()
    field.fill(value)
