-- Version 2. What uploads under way want remembered, so that they go on after a restart where the platform has them.

CREATE TABLE kept (
    connection INTEGER NOT NULL,
    file       INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (connection, file)
) WITHOUT ROWID;
