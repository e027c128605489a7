"""Knowledge bases with documents and images."""

from __future__ import annotations

import base64

import pytest

from coze_sandbox import BOT_ID, WORKSPACE_ID

DOCUMENTS = "/open_api/knowledge/document"
HEADERS = {"Agw-Js-Conv": "str"}


def make(api, name="Manuals", **members):
    body = {"name": name, "space_id": WORKSPACE_ID, "format_type": 0, **members}
    return api.ok("POST", "/v1/datasets", json=body)["dataset_id"]


def listed(api, **query):
    return api.ok("GET", "/v1/datasets", params={"space_id": WORKSPACE_ID, **query})


def file(text="Hello", name="a.txt", **members):
    content = base64.b64encode(text.encode()).decode()
    return {"name": name, "source_info": {"file_base64": content, "file_type": "txt"}, **members}


def page(url="https://example.com/", **members):
    return {"name": "page", "source_info": {"document_source": 1, "web_url": url}, **members}


def addition(dataset_id, *entries, **members):
    body = {"dataset_id": dataset_id, "document_bases": list(entries), "chunk_strategy": {"caption_type": 0}}
    return {**body, **members}


def add(api, dataset_id, *entries, **members):
    body = addition(dataset_id, *entries, **members)
    answer = api.send("POST", f"{DOCUMENTS}/create", json=body, headers=HEADERS).json()
    assert answer["code"] == 0, answer
    return answer["document_infos"]


def documents(api, dataset_id, **members):
    body = {"dataset_id": dataset_id, **members}
    return api.send("POST", f"{DOCUMENTS}/list", json=body, headers=HEADERS).json()


def upload(api):
    return api.ok("POST", "/v1/files/upload", files={"file": ("cat.jpg", b"xyz")})["id"]


def test_life_of_a_knowledge_base(api):
    """A knowledge base is made, changed as a whole, and deleted."""
    icon = upload(api)
    key = make(api, description="All of them.", file_id=icon)
    shown = listed(api)["dataset_list"][0]
    assert (shown["dataset_id"], shown["name"], shown["can_edit"]) == (key, "Manuals", True)
    assert icon in shown["icon_url"]
    api.ok("PUT", f"/v1/datasets/{key}", json={"name": "Books"})
    shown = listed(api)["dataset_list"][0]
    assert (shown["name"], shown["description"]) == ("Books", "")
    assert icon not in shown["icon_url"]
    api.ok("DELETE", f"/v1/datasets/{key}")
    assert listed(api) == {"dataset_list": [], "total_count": 0}
    assert api.refused("DELETE", f"/v1/datasets/{key}") == (404, 4200)


def test_lists(api):
    """Knowledge bases are listed by name and kind, newest first, page by page."""
    keys = [make(api, f"Base {number}", format_type=2 * (number % 2)) for number in range(4)]
    assert [dataset["dataset_id"] for dataset in listed(api)["dataset_list"]] == keys[::-1]
    assert [dataset["dataset_id"] for dataset in listed(api, name="e 2")["dataset_list"]] == [keys[2]]
    assert [dataset["dataset_id"] for dataset in listed(api, format_type=2)["dataset_list"]] == [keys[3], keys[1]]
    second = listed(api, page_num=2, page_size=3)
    assert ([dataset["dataset_id"] for dataset in second["dataset_list"]], second["total_count"]) == (keys[:1], 4)


def test_processing_completes_with_the_clock(api):
    """Documents are being processed until their time has come; empty ones fail then."""
    key = make(api)
    good, empty = add(api, key, file("x" * 1500), file("", "b.txt"))
    assert (good["status"], good["slice_count"], good["size"]) == (0, 0, 1500)
    shown = listed(api)["dataset_list"][0]
    assert shown["processing_file_id_list"] == [good["document_id"], empty["document_id"]]
    body = {"document_ids": [empty["document_id"], good["document_id"]]}
    path = f"/v1/datasets/{key}/process"
    before = api.ok("POST", path, json=body)["data"]
    assert [(document["status"], document["progress"] < 100) for document in before] == [(0, True)] * 2
    api.sandbox.clock.advance(1)
    after = api.ok("POST", path, json=body)["data"]
    assert [(document["status"], document["progress"]) for document in after] == [(9, 100), (1, 100)]
    assert after[0]["status_descript"]
    assert documents(api, key)["document_infos"][1]["slice_count"] == 2
    shown = listed(api)["dataset_list"][0]
    assert (shown["doc_count"], shown["slice_count"], shown["all_file_size"]) == (2, 2, "1500")
    assert (shown["processing_file_list"], shown["failed_file_list"]) == ([], ["b.txt"])
    assert api.refused("POST", path, json={"document_ids": ["1"]}) == (404, 4200)


def test_documents(api):
    """Documents are listed newest first, renamed, deleted, and go with their knowledge base."""
    key = make(api)
    keys = [add(api, key, file(name=f"{number}.txt"))[0]["document_id"] for number in range(3)]
    first = documents(api, key, size=2)
    assert ([document["document_id"] for document in first["document_infos"]], first["total"]) == (keys[:0:-1], 3)
    rest = documents(api, key, page=2, size=2)["document_infos"]
    assert [document["document_id"] for document in rest] == keys[:1]
    rename = {"document_id": keys[0], "document_name": "new.txt"}
    api.ok("POST", f"{DOCUMENTS}/update", json=rename, headers=HEADERS)
    assert documents(api, key)["document_infos"][2]["name"] == "new.txt"
    some = {"document_ids": [keys[0], "1"]}
    assert api.refused("POST", f"{DOCUMENTS}/delete", json=some, headers=HEADERS) == (404, 4200)
    assert documents(api, key)["total"] == 3
    api.ok("POST", f"{DOCUMENTS}/delete", json={"document_ids": keys[:2]}, headers=HEADERS)
    assert [document["document_id"] for document in documents(api, key)["document_infos"]] == keys[2:]
    api.ok("DELETE", f"/v1/datasets/{key}")
    gone = {"document_id": keys[2]}
    assert api.refused("POST", f"{DOCUMENTS}/update", json=gone, headers=HEADERS) == (404, 4200)


def test_web_pages(api):
    """How often a page is read anew is changed on its own."""
    key = make(api)
    document = add(api, key, page(update_rule={"update_type": 1, "update_interval": 48}))[0]
    assert (document["source_type"], document["update_type"], document["update_interval"]) == (1, 1, 48)
    change = {"document_id": document["document_id"], "update_rule": {"update_type": 0}}
    api.ok("POST", f"{DOCUMENTS}/update", json=change, headers=HEADERS)
    assert documents(api, key)["document_infos"][0]["update_interval"] == 0


def test_update_rule_of_a_text_file(api):
    """A file may be given a rule, too, together with a name, when it is added and later."""
    key = make(api)
    rule = {"update_type": 1, "update_interval": 24}
    document = add(api, key, file(update_rule=rule))[0]
    assert (document["source_type"], document["update_type"], document["update_interval"]) == (0, 1, 24)
    change = {
        "document_id": document["document_id"],
        "document_name": "b.txt",
        "update_rule": {**rule, "update_interval": 48},
    }
    api.ok("POST", f"{DOCUMENTS}/update", json=change, headers=HEADERS)
    [changed] = documents(api, key)["document_infos"]
    assert (changed["name"], changed["update_type"], changed["update_interval"]) == ("b.txt", 1, 48)


def test_images(api):
    """Images come from uploaded files, and can be searched by their captions."""
    key = make(api, format_type=2)
    source = {"document_source": 5, "source_file_id": upload(api)}
    cat = {"name": "cat", "source_info": source, "caption": "A kitten"}
    strategy = {"caption_type": 1}
    ids = [
        document["document_id"]
        for document in add(api, key, cat, {**cat, "caption": ""}, format_type=2, chunk_strategy=strategy)
    ]
    path = f"/v1/datasets/{key}/images"
    every = api.ok("GET", path)
    assert every["total_count"] == 2
    assert (every["photo_infos"][0]["type"], every["photo_infos"][0]["size"]) == ("jpg", 3)
    assert [photo["document_id"] for photo in api.ok("GET", path, params={"keyword": "kitten"})["photo_infos"]] == ids[
        :1
    ]
    assert [
        photo["document_id"] for photo in api.ok("GET", path, params={"has_caption": "false"})["photo_infos"]
    ] == ids[1:]
    api.ok("PUT", f"{path}/{ids[1]}", json={"caption": "A dog"})
    assert [photo["caption"] for photo in api.ok("GET", path)["photo_infos"]] == ["A dog", "A kitten"]
    other = make(api, format_type=2)
    assert api.refused("PUT", f"/v1/datasets/{other}/images/{ids[1]}", json={"caption": "x"}) == (404, 4200)


def test_captions_by_coze(api):
    """Unless the caller wants to write captions, the images have some."""
    key = make(api, format_type=2)
    source = {"document_source": 5, "source_file_id": upload(api)}
    add(api, key, {"name": "cat", "source_info": source}, format_type=2)
    assert "cat" in api.ok("GET", f"/v1/datasets/{key}/images")["photo_infos"][0]["caption"]


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (file(), page()),
        ({"name": "a", "source_info": {}},),
        ({"name": "a", "source_info": {"file_base64": "?", "file_type": "txt"}},),
        ({"name": "a", "source_info": {"file_base64": "é", "file_type": "txt"}},),
        ({"name": "a", "source_info": {"file_base64": "", "file_type": "exe"}},),
        ({"name": "a", "source_info": {"file_base64": "aGk="}},),
        (page(""),),
        ({"name": "a", "source_info": {"document_source": 5, "source_file_id": "1"}},),
        (file(),) * 11,
    ],
)
def test_refused_documents(api, entries):
    """Sources must be complete, of one kind, and of a kind that the knowledge base takes."""
    body = addition(make(api), *entries)
    assert api.refused("POST", f"{DOCUMENTS}/create", json=body, headers=HEADERS) == (400, 4000)
    image = addition(make(api, format_type=2), *entries, format_type=0)
    assert api.refused("POST", f"{DOCUMENTS}/create", json=image, headers=HEADERS) == (400, 4000)


def test_unknown_ids(api):
    """Whatever is done with an unknown knowledge base, workspace or file is answered with 4200."""
    body = {"name": "n", "space_id": "1", "format_type": 0}
    assert api.refused("POST", "/v1/datasets", json=body) == (404, 4200)
    icon = {**body, "space_id": WORKSPACE_ID, "file_id": "1"}
    assert api.refused("POST", "/v1/datasets", json=icon) == (404, 4200)
    assert api.refused("GET", "/v1/datasets", params={"space_id": "1"}) == (404, 4200)
    assert api.refused("PUT", "/v1/datasets/1", json={"name": "n"}) == (404, 4200)
    assert api.refused("POST", "/v1/datasets/1/process", json={"document_ids": []}) == (404, 4200)
    assert api.refused("GET", "/v1/datasets/1/images") == (404, 4200)
    assert api.refused("PUT", "/v1/datasets/1/images/2", json={"caption": ""}) == (404, 4200)
    assert api.refused("POST", f"{DOCUMENTS}/create", json=addition("1", file()), headers=HEADERS) == (404, 4200)
    source = {"document_source": 5, "source_file_id": "1"}
    lost = addition(make(api, format_type=2), {"name": "a", "source_info": source}, format_type=2)
    assert api.refused("POST", f"{DOCUMENTS}/create", json=lost, headers=HEADERS) == (404, 4200)


def test_bots_that_use_it(api):
    """A knowledge base counts the bots that use it, and is unbound from them when it is deleted."""
    key = make(api)
    bind = {"bot_id": BOT_ID, "knowledge": {"dataset_ids": [key], "auto_call": True}}
    api.ok("POST", "/v1/bot/update", json=bind)
    assert listed(api)["dataset_list"][0]["bot_used_count"] == 1
    api.ok("DELETE", f"/v1/datasets/{key}")
    bot = api.ok("GET", f"/v1/bots/{BOT_ID}", params={"is_published": "false"})
    assert bot["knowledge"]["knowledge_infos"] == []
