"""The written table of views: what each promises without a store."""

from elohim_kernel.store.views import COPIED, VIEWS


def test_every_select_keeps_to_what_the_caller_may_see():
    for name in COPIED:
        select = VIEWS[name].select

        assert "scope in (select unnest($scopes))" in select or name == "people", name
        assert "$people" in select, name
        assert "seq > $since" in select, name


def test_every_view_says_what_a_row_of_it_is():
    for name, view in VIEWS.items():
        assert view.doc.endswith("."), name
        assert len(view.doc) > 20, name
        assert view.select or view.sql, name


def test_views_that_are_worked_out_need_copied_ones():
    for name, view in VIEWS.items():
        assert set(view.needs) <= set(COPIED), name
        assert bool(view.needs) == bool(view.sql and not view.select), name


def test_rows_that_are_replaced_are_found_by_a_column_of_the_view():
    assert {name: VIEWS[name].key for name in COPIED if VIEWS[name].key} == {
        "approvals": "id",
        "decisions": "id",
        "findings": "id",
        "people": "id",
        "runs": "id",
        "templates": "id",
        "votes": "approval",
        "work_items": "id",
        "workflows": "id",
    }
    assert all(VIEWS[name].key in {"", *VIEWS[name].columns} for name in COPIED)
