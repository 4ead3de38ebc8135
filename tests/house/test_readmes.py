"""A package's front door says what the code says."""

import pytest

from scripts.readme_tables import SECTIONS, section_of
from tests.house.rooms import packages


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("package", packages(), ids=str)
def test_the_readme_says_what_the_code_says(package, section):
    code = SECTIONS[section](package)
    readme = section_of(package.readme.read_text(), section)

    assert (readme or "") == code, (
        f"'nox -s tables' writes it between <!-- {section}:begin --> and <!-- {section}:end -->."
    )
