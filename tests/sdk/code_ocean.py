"""The official SDK of Code Ocean, version 0.17.0, against the simulated platform."""

import hashlib

import requests
from bench import check, equal, fastq, fetch, put_object, raised, sandbox
from codeocean import CodeOcean
from codeocean.capsule import CapsuleSearchParams, CapsuleSortBy
from codeocean.components import SortOrder
from codeocean.computation import (
    DataAssetsRunParam,
    NamedRunParam,
    PipelineProcessParams,
    RunParams,
)
from codeocean.data_asset import (
    AWSS3Source,
    DataAssetAttachParams,
    DataAssetParams,
    DataAssetSearchParams,
    DataAssetState,
    DataAssetUpdateParams,
    Source,
)
from codeocean.error import Error

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def searches(client):
    def ids(**params):
        found = client.capsules.search_capsules_iterator(CapsuleSearchParams(**params))
        return [capsule.id for capsule in found]

    everything = ids()
    assert len(everything) >= 2, everything
    equal(len(set(everything)), len(everything), "capsules listed twice")
    for limit in (1, len(everything) - 1, len(everything), len(everything) + 1):
        equal(ids(limit=limit), everything, f"pages of {limit}")
    by_name = {"sort_field": CapsuleSortBy.Name, "sort_order": SortOrder.Ascending}
    found = client.capsules.search_capsules(CapsuleSearchParams(**by_name)).results
    names = [capsule.name for capsule in found]
    equal(names, sorted(names, key=str.lower), "sorted by name")
    one = client.capsules.search_capsules(CapsuleSearchParams(query=names[0])).results
    assert names[0] in [capsule.name for capsule in one], one
    pipelines = client.pipelines.search_pipelines(CapsuleSearchParams()).results
    assert pipelines, "no pipelines"
    assert not {pipeline.id for pipeline in pipelines} & set(everything)
    check(f"{len(everything)} capsules in pages of every length, {len(pipelines)} pipelines")
    return found, pipelines


def panels(client, capsules):
    """The capsules that have an app panel; that one has none is a 404 and not an empty form."""
    found = {}
    without = 0
    for capsule in capsules:
        equal(client.capsules.get_capsule(capsule.id).name, capsule.name, "name")
        versions = [version.major_version for version in capsule.versions or []]
        for version in [None, *versions]:
            try:
                panel = client.capsules.get_capsule_app_panel(capsule.id, version)
                found[capsule.id] = panel
            except Error as error:
                equal(error.status_code, 404, "an app panel that is not there")
                without += 1
    assert without, "every capsule has an app panel"
    parameters = [p for panel in found.values() for p in panel.parameters or []]
    kinds = {(parameter.type.value, parameter.param_name is None) for parameter in parameters}
    assert {"text", "list", "file"} <= {kind for kind, _ in kinds}, kinds
    assert {True, False} <= {ordered for _, ordered in kinds}, kinds
    assert any(parameter.pattern for parameter in parameters)
    assert any(parameter.maximum is not None for parameter in parameters)
    assert any(parameter.hidden for parameter in parameters)
    check(f"{len(found)} app panels with {len(parameters)} parameters, {without} absent")
    return found


def asset(client, place, name):
    """Files of this computer through the person's bucket into a data asset."""
    files = {"one.fastq": fastq(20), "deep/two reads 世界.fastq": fastq(30)}
    for path, body in files.items():
        put_object(place, f"sdk/{name}/{path}", body).raise_for_status()
    wrong = {**place, "secret_key": place["secret_key"][::-1]}
    equal(put_object(wrong, f"sdk/{name}/three", b"x").status_code, 403, "a wrong signature")
    source = Source(aws=AWSS3Source(bucket=place["bucket"], prefix=f"sdk/{name}"))
    made = client.data_assets.create_data_asset(
        DataAssetParams(name=name, tags=["sdk"], mount="reads", source=source)
    )
    equal(made.state, DataAssetState.Draft, "a new asset")
    ready = client.data_assets.wait_until_ready(made, timeout=60)
    equal(ready.state, DataAssetState.Ready, ready.failure_reason)
    equal(ready.files, len(files), "files of the asset")
    equal(ready.size, sum(map(len, files.values())), "size of the asset")
    listed = client.data_assets.list_data_asset_files(made.id)
    equal({item.name for item in listed.items}, {"one.fastq", "deep"}, "files listed")
    url = client.data_assets.get_data_asset_file_urls(made.id, "deep/two reads 世界.fastq")
    equal(fetch(url.download_url), files["deep/two reads 世界.fastq"], "a file of the asset")
    nothing = Source(aws=AWSS3Source(bucket=place["bucket"], prefix="sdk/nothing here"))
    params = DataAssetParams(name="nothing", tags=[], mount="nothing", source=nothing)
    failed = client.data_assets.create_data_asset(params)
    failed = client.data_assets.wait_until_ready(failed, timeout=60)
    equal(failed.state, DataAssetState.Failed, "an asset of nothing")
    assert failed.failure_reason, failed
    check("bucket, asset from draft to ready, its files; an asset of nothing fails")
    return ready


def housekeeping(client, asset, capsule):
    """What a person does with an asset besides running on it."""
    update = DataAssetUpdateParams(name="renamed asset", tags=["a", "b"])
    equal(client.data_assets.update_metadata(asset.id, update).name, "renamed asset", "name")
    found = client.data_assets.search_data_assets_iterator(DataAssetSearchParams(limit=1))
    assets = {asset.id: asset for asset in found}
    equal(sorted(assets[asset.id].tags), ["a", "b"], "tags")
    client.data_assets.archive_data_asset(asset.id, True)
    archived = client.data_assets.search_data_assets(DataAssetSearchParams(archived=True))
    assert asset.id in [found.id for found in archived.results], archived
    client.data_assets.archive_data_asset(asset.id, False)
    archived = client.data_assets.search_data_assets(DataAssetSearchParams(archived=True))
    assert asset.id not in [found.id for found in archived.results], archived
    wish = [DataAssetAttachParams(id=asset.id, mount="attached")]
    attached = client.capsules.attach_data_assets(capsule, wish)
    equal([(a.id, a.mount) for a in attached], [(asset.id, "attached")], "attached")
    client.capsules.detach_data_assets(capsule, [asset.id])
    check(f"{len(assets)} assets searched, one renamed, archived, attached and detached")


def values(parameters):
    """A value for each parameter, by our own choice where the panel has none."""
    for parameter in parameters:
        fallback = (parameter.value_options or ["1"])[0]
        yield parameter, parameter.default_value or fallback


def runs(client, panels, asset):
    """Runs every capsule with its app panel; returns those that succeeded."""
    inputs = [DataAssetsRunParam(id=asset.id, mount="reads")]
    finished = []
    for capsule, panel in panels.items():
        filled = list(values(panel.parameters or []))
        named = [NamedRunParam(p.param_name, v) for p, v in filled if p.param_name]
        ordered = [value for parameter, value in filled if not parameter.param_name]
        params = RunParams(
            capsule_id=capsule,
            data_assets=inputs,
            named_parameters=named or None,
            parameters=ordered or None,
        )
        computation = client.computations.run_capsule(params)
        equal(computation.state.value, "initializing", "a new computation")
        echoed = {p.param_name: p.value for p in computation.parameters or []}
        for parameter in named:
            equal(echoed[parameter.param_name], parameter.value, "an echoed parameter")
        equal([given.id for given in computation.data_assets], [asset.id], "inputs")
        listed = client.capsules.list_computations(capsule)
        assert computation.id in [known.id for known in listed], listed
        finished.append(computation)
    finished = [client.computations.wait_until_completed(one, timeout=60) for one in finished]
    good = [one for one in finished if one.end_status == "succeeded" and one.exit_code == 0]
    assert good, finished
    assert all(one.has_results for one in good), good
    check(f"{len(finished)} capsules run to their end, {len(good)} of them well")
    return good


def pipeline_runs(client, pipelines, asset):
    """The SDK cannot read a panel with processes (its own defect), so those come from the raw answer."""
    started = 0
    for pipeline in pipelines:
        answer = requests.get(
            f"{client.domain}/api/v1/pipelines/{pipeline.id}/app_panel",
            auth=(client.token, ""),
            timeout=30,
        )
        processes = answer.json().get("processes", []) if answer.ok else []
        wishes = []
        for process in processes:
            named = [
                NamedRunParam(p["param_name"], p.get("default_value") or "1")
                for p in process["parameters"]
                if p.get("param_name")
            ]
            ordered = [
                p.get("default_value") or "1"
                for p in process["parameters"]
                if not p.get("param_name")
            ]
            wishes.append(PipelineProcessParams(process["name"], ordered or None, named or None))
        mounts = [given["mount"] for given in answer.json().get("data_assets", [])] if answer.ok else []
        run = client.computations.run_pipeline(
            RunParams(
                pipeline_id=pipeline.id,
                data_assets=[DataAssetsRunParam(id=asset.id, mount=(mounts or ["reads"])[0])],
                processes=wishes or None,
            )
        )
        if wishes:
            started += 1
            names = {process.name for process in run.processes}
            assert {wish.name for wish in wishes} <= names, run.processes
        ended = client.computations.wait_until_completed(run, timeout=60)
        equal(ended.state.value, "completed", "a pipeline's state")
    assert started, "no pipeline has processes"
    check(f"{len(pipelines)} pipelines run, {started} with values for their processes")


def results(client, computation):
    """Everything below the results folder, each file fetched; what was found, by path."""
    files = {}
    folders = [""]
    while folders:
        for item in client.computations.list_computation_results(computation.id, folders.pop()).items:
            if item.type == "folder":
                folders.append(item.path)
                continue
            urls = client.computations.get_result_file_urls(computation.id, item.path)
            body = fetch(urls.download_url)
            equal(len(body), item.size or 0, f"size of {item.path}")
            assert urls.view_url, urls
            files[item.path] = hashlib.sha256(body).hexdigest()
            refused = requests.get(urls.download_url, auth=(client.token, ""), timeout=30)
            equal(refused.status_code, 400, "a key sent to the storage")
    return files


def errors(client, place, computation):
    bad = CodeOcean(domain=place["url"], token="cop_wrong")
    error = raised(Error, lambda: bad.capsules.search_capsules(CapsuleSearchParams()))
    equal(error.status_code, 401, "a wrong token")
    assert error.message, error
    error = raised(Error, lambda: client.computations.get_computation(UNKNOWN))
    equal(error.status_code, 404, "an unknown computation")
    assert isinstance(error.data, dict) and error.message, error
    error = raised(Error, lambda: client.computations.get_computation("1234567"))
    equal(error.status_code, 400, "a slug for an id")
    number = RunParams(capsule_id=UNKNOWN)
    equal(raised(Error, lambda: client.computations.run_capsule(number)).status_code, 404, "run")
    client.computations.rename_computation(computation.id, "Plate 7 / µ #1")
    equal(client.computations.get_computation(computation.id).name, "Plate 7 / µ #1", "renamed")
    client.computations.delete_computation(computation.id)
    gone = raised(Error, lambda: client.computations.get_computation(computation.id))
    equal(gone.status_code, 404, "a deleted computation")
    check("errors by status and message; renamed; deleted is gone")


def main():
    with sandbox() as printed:
        place = printed["code_ocean"]
        client = CodeOcean(domain=place["url"], token=place["token"])
        capsules, pipelines = searches(client)
        found = panels(client, capsules)
        reads = asset(client, place, "run42-inputs")
        good = runs(client, found, reads)
        trees = {one.id: results(client, one) for one in good}
        assert any("/" in path for tree in trees.values() for path in tree), trees
        assert any(" " in path for tree in trees.values() for path in tree), trees
        assert any(not path.isascii() for tree in trees.values() for path in tree), trees
        assert all("output" in tree for tree in trees.values()), trees
        check(f"{sum(map(len, trees.values()))} result files fetched through links")
        pipeline_runs(client, pipelines, reads)
        housekeeping(client, reads, capsules[0].id)
        errors(client, place, good[0])


main()
