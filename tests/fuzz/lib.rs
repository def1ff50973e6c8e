//! The modules of the program that read foreign bytes, compiled without the rest of it.
#![allow(
    dead_code,
    unused_imports,
    reason = "what only the rest of the program uses"
)]

#[path = "../../src/model/mod.rs"]
pub mod model;

#[path = "../../src/net"]
pub mod net {
    pub mod errors;
    pub mod retry;
}

#[path = "../../src/results"]
pub mod results {
    mod disk;
    pub mod names;
    pub mod table;
    pub mod unzip;
}

#[path = "../../src/providers"]
pub mod providers {
    pub mod analytics_automated {
        pub mod anything;
        mod values;
        mod wire;
    }

    pub mod biodock {
        pub mod anything;
        mod wire;
    }

    pub mod code_ocean {
        mod address;
        pub mod anything;
        mod form;
        mod listed;
        mod panel;
        mod values;
        mod wire;
    }

    pub mod seven_bridges {
        pub mod anything;
        mod errors;
        mod form;
        mod made;
        mod wire;
    }
}
