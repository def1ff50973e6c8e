"""The official SDK of Seven Bridges, version 2.11.2, against the simulated platform: files and apps.

The tasks are in `seven_bridges_tasks`, which this one hands its files to.
"""

import os
import pathlib
import random
import tempfile

import sevenbridges
from bench import check, equal, fastq, raised, sandbox
from seven_bridges_tasks import tasks
from sevenbridges.errors import NotFound, SbgError, Unauthorized

MIB = 1024 * 1024


def account(api, place):
    assert api.users.me().username, "no user name"
    before = api.rate_limit.get().rate
    again = api.rate_limit.get()
    equal(again.rate.remaining, before.remaining, "a look at the rate limit counts")
    assert 0 < again.rate.remaining <= again.rate.limit, again.rate
    equal(again.instance_limit.remaining, 2**63 - 1, "instances")
    bad = sevenbridges.Api(url=place["url"], token="wrong", debug=True)
    equal(raised(Unauthorized, bad.users.me).code, 90001, "the code of a wrong token")
    check(f"who I am, and {again.rate.remaining} of {again.rate.limit} requests left")


def lists(api, project):
    projects = list(api.projects.query(limit=1).all())
    ids = [known.id for known in projects]
    equal(len(set(ids)), len(ids), "projects listed twice")
    assert project in ids and len(ids) >= 2, ids
    # The SDK has no name for the rights, which Labferry reads.
    rights = [api.get(f"/projects/{known}").json()["permissions"] for known in ids]
    allowed = [right["execute"] for right in rights]
    assert True in allowed and False in allowed, allowed
    everything = [app.id for app in api.apps.query(project=project, limit=100).all()]
    for limit in (1, len(everything) - 1, len(everything), len(everything) + 1):
        page = api.apps.query(project=project, limit=limit)
        equal(page.total, len(everything), "the total in the header")
        equal([app.id for app in page.all()], everything, f"pages of {limit}")
    apps = [api.apps.get(known) for known in everything]
    versions = {str(app.raw["cwlVersion"]) for app in apps}
    assert "sbg:draft-2" in versions and len(versions) >= 2, versions
    shapes = {type(app.raw["inputs"]) for app in apps}
    equal(shapes, {list, dict}, "inputs as a list and as a map")
    newest = max(apps, key=lambda app: app.revision)
    older = api.apps.get_revision(id=newest.id, revision=newest.revision - 1)
    equal(older.revision, newest.revision - 1, "an older revision")
    assert older.raw != newest.raw
    error = raised(NotFound, lambda: api.apps.get(f"{project}/no-such-app"))
    equal(error.code, 6002, "the code of an app that is not there")
    check(f"{len(ids)} projects, {len(apps)} apps in pages of every length, CWL {sorted(versions)}")
    return apps


def upload(api, folder, name, body, project, **options):
    path = folder / f"{random.getrandbits(32)}.bin"
    path.write_bytes(body)
    handle = api.files.upload(str(path), project=project, file_name=name, **options)
    return handle


def uploads(api, folder, project):
    """Sizes around the borders of parts; the SDK itself sends an empty last part for one byte more than whole parts."""
    dice = random.Random(7)
    part = 5 * MIB
    for name, size in (
        ("small.bin", 10),
        ("empty.bin", 0),
        ("one part.bin", part),
        ("one more.bin", part + 1),
        ("two parts.bin", 2 * part),
        ("three parts.bin", 2 * part + 12345),
    ):
        body = dice.randbytes(size)
        handle = upload(api, folder, name, body, project, part_size=part)
        equal(handle.status, "COMPLETED", name)
        stored = api.files.get(handle.result().id)
        equal((stored.name, stored.size), (name, size), "name and size")
        target = folder / f"back {name}"
        if size:
            stored.download(str(target), chunk_size=part)
            assert target.read_bytes() == body, f"{name} came back otherwise"
    error = raised(SbgError, lambda: finished(upload(api, folder, "small.bin", b"other", project)))
    assert "exist" in str(error).lower(), error
    old = api.files.query(project=project, names=["small.bin"])[0]
    handle = upload(api, folder, "small.bin", b"other", project, overwrite=True)
    equal(handle.status, "COMPLETED", "overwriting")
    assert handle.result().id != old.id, "overwriting keeps the identifier"
    raised(NotFound, lambda: api.files.get(old.id))
    check("uploads of every size, a duplicate refused, an overwritten file with a new identifier")


def finished(handle):
    """The SDK uploads in a thread: a failure shows in its status alone."""
    if handle.status != "COMPLETED":
        raise SbgError(f"{handle.status}: the file may exist already")
    return handle


def files(api, folder, project):
    """Reads of two samples in a folder, with metadata to group by."""
    place = api.files.create_folder(name="sdk reads", project=project)
    found = []
    for number in range(4):
        path = folder / f"reads {number} µ.fastq"
        path.write_bytes(fastq(10 + number))
        handle = api.files.upload(str(path), parent=place.id)
        equal(handle.status, "COMPLETED", path.name)
        stored = api.files.get(handle.result().id)
        stored.metadata = {"sample_id": f"S{number % 2}", "plate": "7"}
        stored.save()
        found.append(api.files.get(stored.id))
    equal(found[1].metadata["sample_id"], "S1", "metadata")
    inside = [known.id for known in place.list_files(limit=100)]
    equal(sorted(inside), sorted(known.id for known in found), "files in the folder")
    of_one = api.files.query(parent=place.id, metadata={"sample_id": "S0"})
    equal(len(of_one), 2, "files of a sample")
    named = api.files.query(parent=place.id, names=[found[0].name, found[2].name])
    equal(named.total, 2, "files by name")
    unknown = "0" * 24
    records = api.files.bulk_get([*found, unknown])
    equal([record.valid for record in records], [True] * 4 + [False], "files in bulk")
    equal(records[-1].error.code, 5002, "the code of a file that is not there")
    equal(raised(NotFound, lambda: api.files.get(unknown)).code, 5002, "its own code")
    check("a folder, metadata, queries by name and metadata, files in bulk")
    return place, found


def profile(place):
    """A profile of the credentials file takes a plain address without a switch."""
    home = pathlib.Path(os.environ["HOME"], ".sevenbridges")
    home.mkdir(exist_ok=True)
    text = f"[sim]\napi_endpoint = {place['url']}\nauth_token = {place['token']}\n"
    (home / "credentials").write_text(text)
    api = sevenbridges.Api(config=sevenbridges.Config(profile="sim"))
    assert api.users.me().username
    check("a profile of the credentials file")


def main():
    with sandbox() as printed, tempfile.TemporaryDirectory() as scratch:
        place = printed["seven_bridges"]
        folder = pathlib.Path(scratch)
        api = sevenbridges.Api(url=place["url"], token=place["token"], debug=True)
        account(api, place)
        profile(place)
        apps = lists(api, place["project"])
        uploads(api, folder, place["project"])
        directory, reads = files(api, folder, place["project"])
        tasks(api, place["project"], apps, reads, directory)


main()
