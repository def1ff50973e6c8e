"""Tasks by the official SDK of Seven Bridges: every app, drafts, batches, outputs, details, an abort."""

import tempfile

from bench import check, equal, raised
from sevenbridges.errors import NotFound, SbgError, TaskValidationError
from sevenbridges.models.file import File


def described(raw):
    """The inputs of an app as name, type and whether it has a default, however they are written."""
    given = raw["inputs"]
    if isinstance(given, dict):
        pairs = [(name, body if isinstance(body, dict) else {"type": body}) for name, body in given.items()]
    else:
        pairs = [(body["id"], body) for body in given]
    for name, body in pairs:
        kind = body["type"]
        optional = isinstance(kind, list) and "null" in kind
        if isinstance(kind, list):
            kind = [one for one in kind if one != "null"][0]
        if isinstance(kind, str) and kind.endswith("?"):
            kind, optional = kind[:-1], True
        yield name.split("/")[-1].lstrip("#"), kind, optional or "default" in body


def value(kind, reads, directory):
    """Something of this CWL type."""
    if isinstance(kind, str) and kind.endswith("[]"):
        kind = {"type": "array", "items": kind[:-2]}
    if isinstance(kind, dict):
        if kind["type"] == "array":
            if kind["items"] == "File":
                return list(reads)
            return [value(kind["items"], reads, directory)]
        if kind["type"] == "enum":
            return kind["symbols"][0].split("/")[-1]
        if kind["type"] == "record":
            fields = kind["fields"]
            return {one["name"].split("/")[-1]: value(one["type"], reads, directory) for one in fields}
        kind = kind["type"]
    if isinstance(kind, list):
        return value([one for one in kind if one != "null"][0], reads, directory)
    simple = {"int": 2, "long": 2, "float": 0.5, "double": 0.5, "string": "a b", "boolean": True}
    return {"File": reads[0], "Directory": directory, "Any": {"a": 1}, **simple}[kind.rstrip("?")]


def filled(app, reads, directory):
    """What an app must be given."""
    needed = [(name, kind) for name, kind, optional in described(app.raw) if not optional]
    return {name: value(kind, reads, directory) for name, kind in needed}


def many(app):
    """The input that takes several files, where there is one."""
    for name, kind, _ in described(app.raw):
        if kind == "File[]" or (isinstance(kind, dict) and kind.get("items") == "File"):
            return name
    return None


def found_files(item):
    """Every file among the outputs, those beside it too."""
    if isinstance(item, list):
        for one in item:
            yield from found_files(one)
    elif isinstance(item, File):
        yield item
        yield from item.secondary_files or []


def fetched(api, task):
    """How many result files there are, each fetched and held against its size."""
    count = 0
    folders = []
    wanted = [one for name in (task.outputs or {}) for one in found_files(task.outputs[name])]
    while wanted or folders:
        if folders:
            wanted += list(folders.pop().list_files(limit=100).all())
            continue
        known = api.files.get(wanted.pop().id)
        if known.is_folder():
            folders.append(known)
            continue
        if known.size:
            with tempfile.TemporaryDirectory() as scratch:
                path = f"{scratch}/result"
                known.download(path)
                with open(path, "rb") as file:
                    equal(len(file.read()), known.size, f"length of {known.name}")
        count += 1
    return count


def each_app(api, project, apps, reads, directory):
    """A draft of each app with what it needs, checked, run, waited for."""
    done = 0
    for app in apps:
        task = api.tasks.create(
            name=f"SDK {app.name}", project=project, app=app, inputs=filled(app, reads, directory)
        )
        equal((task.status, task.errors or []), ("DRAFT", []), f"a draft of {app.id}")
        assert task.app.startswith(app.id), task.app
        task.run()
        assert task.status in ("CREATING", "QUEUED", "RUNNING"), task.status
        task.wait(period=0.2)
        if task.status != "COMPLETED":
            continue
        done += 1
        assert fetched(api, task), f"{app.id} has no results"
        assert task.price.currency and task.price.amount is not None, task.price
        status = task.execution_status
        equal(status.steps_completed, status.steps_total, f"steps of {app.id}")
        error = raised(SbgError, task.run)
        equal(error.code, 7007, "running what has run")
    assert done >= 2, f"{done} of {len(apps)} apps completed"
    check(f"{len(apps)} apps drafted and run, {done} completed, their results fetched")


def refused(api, project, apps):
    """Missing inputs leave a draft with errors, and nothing that runs."""
    app = next(app for app in apps if [one for one in described(app.raw) if not one[2]])
    draft = api.tasks.create(name="missing", project=project, app=app, inputs={})
    equal(draft.status, "DRAFT", "a task without its inputs")
    assert draft.errors, "no errors"
    make = lambda: api.tasks.create(name="missing", project=project, app=app, run=True)
    equal(raised(TaskValidationError, make).task.status, "DRAFT", "a refused task")
    draft.run()
    equal(draft.status, "DRAFT", "a draft with errors that was run")
    assert draft.errors, "no errors after the run"
    unknown = "00000000-0000-4000-8000-000000000000"
    equal(raised(NotFound, lambda: api.tasks.get(unknown)).code, 7002, "an unknown task")
    equal(raised(SbgError, lambda: api.tasks.get("7").status).code, 7005, "no task's identifier")
    records = api.tasks.bulk_get([draft, unknown])
    equal([record.valid for record in records], [True, False], "tasks in bulk")
    draft.delete()
    raised(NotFound, lambda: api.tasks.get(draft.id))
    check("drafts with errors, unknown tasks, tasks in bulk, a deleted draft")


def batches(api, project, app, reads, directory):
    """One parent that becomes a child a file, and one that becomes a child a sample."""
    name = many(app)
    inputs = {**filled(app, reads, directory), name: list(reads)}
    criteria = {"type": "CRITERIA", "criteria": ["metadata.sample_id"]}
    for batch_by, expected in (({"type": "ITEM"}, len(reads)), (criteria, 2)):
        parent = api.tasks.create(
            name="SDK batch",
            project=project,
            app=app,
            inputs=inputs,
            batch_input=name,
            batch_by=batch_by,
            run=True,
        )
        assert parent.batch, "no batch"
        parent.wait(period=0.2)
        children = list(parent.get_batch_children(limit=1).all())
        equal(len(children), expected, f"children by {batch_by['type']}")
        equal({child.parent for child in children}, {parent.id}, "their parent")
        equal({child.status for child in children}, {"COMPLETED"}, "their ends")
        counted = api.tasks.get(parent.id).execution_status
        equal((counted.completed, counted.failed), (expected, 0), "children counted")
        if batch_by is criteria:
            groups = {child.batch_group.value for child in children}
            equal(len(groups), 2, f"groups {groups}")
            assert all(child.batch_group.fields for child in children)
        assert all(fetched(api, child) for child in children)
    check("batches by item and by criteria, their children and results")


def details(api, project, app, reads, directory):
    """The record of a run with its logs; an aborted task keeps its record."""
    inputs = filled(app, reads, directory)
    task = api.tasks.create(name="SDK details", project=project, app=app, inputs=inputs, run=True)
    task.wait(period=0.2)
    record = task.get_execution_details()
    equal(record.status, task.status, "the status in the details")
    assert record.jobs and record.jobs[0].name, record
    logs = record.jobs[0].logs
    log = next(logs[name] for name in logs)
    assert log is not None and log.content(), "an empty log"
    task = api.tasks.create(name="SDK abort", project=project, app=app, inputs=inputs, run=True)
    task.abort()
    task.wait(period=0.2)
    equal(task.status, "ABORTED", "an aborted task")
    equal(raised(SbgError, task.abort).code, 7011, "aborting what has ended")
    clone = task.clone(run=True)
    assert clone.id != task.id
    clone.wait(period=0.2)
    equal(clone.status, "COMPLETED", "the clone")
    recent = api.tasks.query(project=project, order_by="created_time", order="desc", limit=1)
    equal(recent[0].id, clone.id, "the newest task")
    check("details and logs, an abort that keeps the record, a clone")


def tasks(api, project, apps, reads, directory):
    each_app(api, project, apps, reads, directory)
    refused(api, project, apps)
    app = next(app for app in apps if many(app))
    batches(api, project, app, reads, directory)
    details(api, project, app, reads, directory)
