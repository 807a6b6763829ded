"""The federation that all other client tests stand on."""

from conftest import OPEN_RECORDS, TOWNS, eventually


def test_every_town_finds_the_open_records_of_all_and_says_so(federation):
    for town in federation.towns():
        found = town.get("/api/v1/datasets?limit=100").json()
        assert found["total"] == OPEN_RECORDS
        assert {item["town_code"] for item in found["items"]} == set(TOWNS)


def test_what_one_town_edits_and_publishes_the_others_find_also_after_a_restart(private_federation):
    soest, olpe = private_federation.town("soest"), private_federation.town("olpe")
    trees = soest.own_ids()["baumkataster"]
    soest.edit(trees, {"title": {"de": "Baumkataster der Stadt"}})
    created = soest.create_like(trees, title={"de": "Baumschnitt"})
    assert soest.get(f"/api/v1/datasets/{created}").status_code == 404, "a draft is closed"
    soest.publish(created)

    def title(dataset):
        answer = olpe.get(f"/api/v1/datasets/{dataset}")
        return answer.json()["title"]["de"] if answer.ok else None

    eventually("the edit in Olpe", lambda: title(trees) == "Baumkataster der Stadt")
    eventually("the new record in Olpe", lambda: title(created) == "Baumschnitt")
    eventually("the new record in Soest's search", lambda: soest.open_count() == OPEN_RECORDS + 1)
    private_federation.restart()
    assert title(trees) == "Baumkataster der Stadt"
    assert title(created) == "Baumschnitt"
