-- Version 1. Tables in the order of the work. Columns hold what rows are found and counted by; the entity itself is the
-- JSON in `body`, in the shape of the type of the same name in `model`.

CREATE TABLE connections (
    id       INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    label    TEXT NOT NULL,
    body     TEXT NOT NULL
);

CREATE TABLE batches (
    id      INTEGER PRIMARY KEY,
    created TEXT NOT NULL,
    name    TEXT NOT NULL,
    body    TEXT NOT NULL
);

CREATE TABLE jobs (
    id         INTEGER PRIMARY KEY,
    batch      INTEGER NOT NULL,
    connection INTEGER NOT NULL,
    stage      TEXT NOT NULL,
    remote     TEXT,
    body       TEXT NOT NULL
);

-- Inputs that are at a platform already, so that no file is uploaded twice.
CREATE TABLE staged (
    connection INTEGER NOT NULL,
    file       INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (connection, file)
) WITHOUT ROWID;

CREATE TABLE artifacts (
    id   INTEGER PRIMARY KEY,
    job  INTEGER NOT NULL,
    path TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE notices (
    id   INTEGER PRIMARY KEY,
    at   TEXT NOT NULL,
    body TEXT NOT NULL
);

-- One row at most.
CREATE TABLE settings (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL
);

-- The highest number ever given out, by kind. Numbers are never reused, also not after a removal.
CREATE TABLE counters (
    kind TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) WITHOUT ROWID;
