"""The page in a real browser, without a window or a network."""

import shutil
import time

import pytest

from retrieval_leaderboard.evaluation.reports.html import page
from tests.evaluation.reports import drawn

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no chromium: apt-get install chromium chromium-driver"
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDE, PHONE = 1280, 390
SECONDS = 20.0
CONTRASTS = """
const parts = (text) => text.match(/[\\d.]+/g).map(Number);
const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const light = (rgb) => rgb.slice(0, 3).map((c) => linear(c / 255))
  .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = parts(getComputedStyle(each).backgroundColor);
    if (color.length === 3 || color[3] > 0) return color;
  }
};
const found = [];
for (const element of document.querySelectorAll("body *:not(svg *)")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.offsetParent) continue;
  const own_color = parts(getComputedStyle(element).color);
  const [a, b] = [light(own_color), light(behind(element))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) found.push(element.outerHTML.slice(0, 90));
}
return found;
"""
"""Elements whose text has too little contrast (WCAG 2.2, 1.4.3)"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    text = page.page(drawn.data(folder, with_curves=True), rebuild="python -m evaluation report")
    (folder / "board.html").write_text(text, encoding="utf-8")
    return folder / "board.html"


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture
def browser(started, file):
    """The page just opened in a wide window with a light theme; at the end, no error may have been told."""
    resize(started, WIDE)
    emulate(started, "light")
    open_page(started, file)
    yield started
    assert started.get_log("browser") == []


def open_page(browser, file):
    browser.get("about:blank")
    browser.get(file.as_uri())
    wait(browser, "return document.documentElement.dataset.drawn")


def resize(browser, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def emulate(browser, theme):
    asked = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", asked)


def wait(browser, script):
    """Until the script returns what counts as true; that."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if found := browser.execute_script(script):
            return found
        time.sleep(0.02)
    raise AssertionError(f"not in {SECONDS} s: {script}")


def after_drawing(browser, act):
    """Do `act` and wait until the charts are drawn again."""
    drawn_before = browser.execute_script("return document.documentElement.dataset.drawn")
    act()
    wait(browser, f"return document.documentElement.dataset.drawn !== '{drawn_before}'")


def one(browser, selector):
    return browser.find_element("css selector", selector)


def rows(browser, group):
    """Names of the visible rows of a group, from the top."""
    found = browser.find_elements("css selector", f"tbody[data-group={group}] tr[data-name]")
    return [row.get_attribute("data-name") for row in found if row.is_displayed()]


def marks(browser, chart):
    return browser.find_elements("css selector", f"#{chart} .mark-symbol path")


def head(browser, title):
    buttons = browser.find_elements("css selector", "thead button")
    return next(button for button in buttons if button.text == title)


def test_every_chart_is_drawn_and_labeled(browser):
    for key, _, _, _ in page.FIGURES:
        assert one(browser, f"#{key} svg").size["height"] > 60
        assert one(browser, f"#{key}").get_attribute("aria-label")


def test_columns_sort_both_ways_by_mouse_and_keyboard(browser):
    assert rows(browser, "official") == ["bsl", "item_cf", "global_hot"]
    head(browser, "fit s").click()
    assert rows(browser, "official") == ["global_hot", "item_cf", "bsl"]
    assert rows(browser, "explored")[-1] == drawn.AMPERSAND, "without a figure: last"
    head(browser, "fit s").send_keys("\ue007")  # Enter
    assert rows(browser, "official") == ["bsl", "item_cf", "global_hot"]
    assert rows(browser, "explored")[-1] == drawn.AMPERSAND
    sorted_by = browser.find_elements("css selector", "th[aria-sort]")
    assert [(each.text, each.get_attribute("aria-sort")) for each in sorted_by] == [("fit s", "descending")]
    head(browser, "model").click()
    assert rows(browser, "official") == ["bsl", "global_hot", "item_cf"]


def test_the_filter_holds_for_the_table_and_the_charts(browser):
    assert len(marks(browser, "cost")) == 5
    after_drawing(browser, lambda: one(browser, "#filter").send_keys("BSL"))
    assert rows(browser, "official") == ["bsl"] and rows(browser, "explored") == ["bsl (CLI override)"]
    assert one(browser, "#shown").text == "2 of 6 rows" and len(marks(browser, "cost")) == 2
    after_drawing(browser, lambda: one(browser, "[value=explored]").click())
    assert rows(browser, "official") == [] and len(marks(browser, "cost")) == 1
    after_drawing(browser, lambda: one(browser, "#filter").send_keys(" nothing such"))
    assert one(browser, "#shown").text == "No row matches."
    assert one(browser, "#cost").text == "No row with these figures matches the filter."


def test_hovering_tells_the_figures_of_a_mark(browser):
    mark = marks(browser, "cost")[0]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    webdriver.ActionChains(browser).move_to_element(mark).perform()
    wait(browser, "return !document.getElementById('tip').hidden")
    told = one(browser, "#tip").text
    assert told.startswith(
        "model: bsl (CLI override)\nNDCG@20: 0.1900\n95 % interval: 0.1800 to 0.2000\nfit s: 70.0"
    )
    webdriver.ActionChains(browser).move_to_element(one(browser, "h1")).perform()
    wait(browser, "return document.getElementById('tip').hidden")


def test_a_command_can_be_copied(browser):
    browser.execute_script("location.hash = '#row-1'")
    wait(browser, "return document.getElementById('row-1').open")
    command = one(browser, "#row-1 code").text
    one(browser, "#row-1 .copy").click()
    wait(browser, "return document.querySelector('#row-1 .copy').textContent === 'Copied'")
    one(browser, "#filter").send_keys("\ue009v")  # Ctrl+V
    pasted = one(browser, "#filter").get_attribute("value")
    assert pasted == command.replace("\n", " "), "a field of one line has no line ends"
    assert command.startswith("python run_all.py --dataset planted")


def test_names_of_models_run_nothing(browser):
    assert browser.execute_script("return typeof window.hacked") == "undefined"
    assert drawn.HOSTILE in [each.text for each in browser.find_elements("css selector", "tbody a span")]
    told = browser.execute_script(
        "return [...document.querySelectorAll('#cost text')].map((t) => t.textContent)"
    )
    assert drawn.HOSTILE in told


def test_nothing_is_fetched_and_nothing_may_be(browser):
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    asked = "const done = arguments[0]; fetch('data:,x').then(() => done('fetched'), () => done('refused'))"
    assert browser.execute_async_script(asked) == "refused"
    assert all("Content Security Policy" in each["message"] for each in browser.get_log("browser"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_it_fits_the_window_and_can_be_read(browser, file, width, theme):
    emulate(browser, theme)
    resize(browser, width)
    open_page(browser, file)
    browser.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(CONTRASTS) == []
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 20, 26)"}[theme]
    assert one(browser, "#cost svg").size["width"] > width * 0.7


def test_the_switch_changes_the_theme_and_its_charts(browser):
    def look():
        script = "return [getComputedStyle(document.body).color, " + (
            "document.querySelector('#cost .role-axis-label text').getAttribute('fill')]"
        )
        return browser.execute_script(script)

    light = look()
    after_drawing(browser, lambda: one(browser, "#theme").click())
    assert all(one != other for one, other in zip(light, look(), strict=True))
    assert one(browser, "#theme").text == "Light theme"
    after_drawing(browser, lambda: one(browser, "#theme").click())
    assert look() == light


def test_keys_alone_reach_the_table_the_filter_and_the_settings(browser):
    browser.execute_script("document.querySelector('.skip').focus()")
    reached = []
    for _ in range(40):
        webdriver.ActionChains(browser).send_keys("\ue004").perform()  # Tab
        reached.append(
            browser.execute_script("return document.activeElement.id || document.activeElement.tagName")
        )
    assert {"theme", "filter", "BUTTON", "A", "SUMMARY"} <= set(reached)


def test_charts_follow_the_width_of_the_window(browser):
    wide = one(browser, "#cost svg").size["width"]
    after_drawing(browser, lambda: resize(browser, PHONE))
    assert one(browser, "#cost svg").size["width"] < wide / 2
