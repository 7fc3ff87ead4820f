from playwright.sync_api import Browser


def test_a_page_of_a_string_is_rendered_and_its_script_runs(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_content("<h1></h1><script>document.querySelector('h1').textContent = innerWidth</script>")
    assert page.inner_text("h1") == "390"
