"""A simulated screen reader in a page: npm's @guidepup/virtual-screen-reader."""

from playwright.sync_api import Page

from tests.conftest import PROJECT

BUNDLE = PROJECT / "node_modules/@guidepup/virtual-screen-reader/lib/esm/index.browser.js"
START = """async (address) => {
  window.reader = new (await import(address)).Virtual();
  await reader.start({ container: document.body });
}"""
WALK = """async () => {
  await reader.clearSpokenPhraseLog();
  do await reader.next(); while (await reader.lastSpokenPhrase() !== "end of document");
  const log = await reader.spokenPhraseLog();
  await reader.clearSpokenPhraseLog();
  return log;
}"""
TOLD = """async () => {
  const log = await reader.spokenPhraseLog();
  await reader.clearSpokenPhraseLog();
  return log;
}"""
LIVE = ("polite: ", "assertive: ")


class ScreenReader:
    def __init__(self, page: Page) -> None:
        self._page = page
        address = "/page/screen-reader.js"  # of the page's own host: its policy allows no other
        page.route(f"**{address}", lambda asked: asked.fulfill(path=BUNDLE))
        page.evaluate(START, address)

    def walk(self) -> list[str]:
        """What is said from the beginning to the end of the page."""
        phrases: list[str] = self._page.evaluate(WALK)
        return [phrase for phrase in phrases if not phrase.startswith(("end ", *LIVE))]

    def told(self) -> list[str]:
        """What live regions told since the last call, without being walked to."""
        phrases: list[str] = self._page.evaluate(TOLD)
        return [phrase for phrase in phrases if phrase.startswith(LIVE) and phrase not in LIVE]
