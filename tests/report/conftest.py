"""A report that has everything in it."""

import pytest

import regrain as rg
from tests.report.clouds import by_axis, cloud, failing, histogram, mean


@pytest.fixture
def report() -> rg.Report:
    """Of two clouds that differ by a shift, significant in all rows."""
    fine = cloud(1, provenance={"wall_time": 100.0, "source": "a.trr"})
    coarse = cloud(2, shift=0.3, provenance={"wall_time": 2.0, "model": "cloud"})
    return rg.compare(fine, coarse, [mean, histogram, by_axis, failing], title="Two clouds")
