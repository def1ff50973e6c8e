//! App panels: the forms of the capsules and pipelines, as JSON.

use serde_json::{Value, json};

use crate::providers::code_ocean::sim::fixtures::{EXAMPLE_IMAGES, EXAMPLE_READS, FORBIDDEN};
use crate::sandbox::faults::Faults;

/// The mount of the images in the pipeline.
pub(super) const IMAGES_MOUNT: &str = "images";

/// Of the capsule that looks at reads.
pub(super) fn read_quality(_faults: &Faults) -> Value {
    json!({
        "general": {
            "title": "Read quality",
            "instructions": "Mount a data asset with FASTQ files, plain or gzip. Other files are named and left alone.",
            "help_text": "The log is the file called output",
        },
        "data_assets": [
            { "id": EXAMPLE_READS, "mount": "reads", "name": "Example reads", "kind": "internal",
              "accessible": true, "description": "Taken when no other reads are given", "help_text": "" },
        ],
        "categories": [
            { "id": "quality", "name": "Quality", "description": "What counts as good", "help_text": "" },
            { "id": "output", "name": "Output", "description": "", "help_text": "" },
        ],
        "parameters": [
            { "name": "Minimum quality", "param_name": "min_quality", "type": "text", "category": "quality",
              "description": "Mean quality from which on a read passes", "help_text": "", "value_type": "integer",
              "default_value": "20", "required": true, "hidden": false, "minimum": 0, "maximum": 60 },
            { "name": "Encoding", "param_name": "encoding", "type": "list", "category": "quality",
              "description": "How qualities are written", "value_type": "string",
              "default_value": "Phred+33", "value_options": ["Phred+33", "Phred+64"] },
            { "name": "Quality by position", "param_name": "by_position", "type": "text", "category": "output",
              "description": "Whether to make a table for each file", "value_type": "boolean",
              "default_value": "true" },
            { "name": "Title", "param_name": "title", "type": "text", "category": "output",
              "description": "First line of the log", "value_type": "string", "default_value": "",
              "pattern": "^[^<>]*$" },
            { "name": "Layout", "param_name": "layout", "type": "text", "value_type": "string",
              "default_value": "2", "hidden": true },
        ],
        "results": [{ "file_name": "summary.csv" }],
    })
}

/// Of the pipeline that looks at images: parameters stand in its processes.
pub(super) fn image_statistics(faults: &Faults) -> Value {
    let read = json!({
        "name": "capsule_read_1",
        "categories": [{ "id": "1", "name": "Reading" }],
        "parameters": [
            { "name": "Channel", "type": "list", "category": "1", "value_type": "string",
              "description": "Which part of color images to look at",
              "default_value": "gray", "value_options": ["gray", "red", "green", "blue"] },
            { "name": "Smallest width", "type": "text", "value_type": "integer",
              "description": "Images with fewer pixels in a row are skipped",
              "default_value": "1", "minimum": 1, "maximum": 100_000 },
        ],
    });
    let measure = json!({
        "name": "capsule_measure_2",
        "parameters": [
            { "name": "Histograms", "param_name": "histograms", "type": "text", "value_type": "boolean",
              "description": "Whether to make a histogram of each image", "default_value": "true" },
            { "name": "Bins", "param_name": "bins", "type": "text", "value_type": "integer",
              "default_value": "16", "required": true, "minimum": 2, "maximum": 256 },
            { "name": "Scale", "param_name": "scale", "type": "text", "value_type": "number",
              "description": "Multiplies every brightness", "default_value": "1.0",
              "minimum": 0.001, "maximum": 1000 },
        ],
    });
    let processes = if faults.is("code_ocean.processes", "single") {
        // As the official client models it: one category and one parameter.
        json!([{
            "name": "capsule_measure_2",
            "categories": { "id": "1", "name": "Measuring" },
            "parameters": { "name": "Bins", "param_name": "bins", "type": "text", "value_type": "integer",
                            "default_value": "16", "required": true, "minimum": 2, "maximum": 256 },
        }])
    } else {
        json!([read, measure])
    };
    json!({
        "general": { "title": "Image statistics", "instructions": "Mount a data asset with images." },
        "data_assets": [
            { "id": EXAMPLE_IMAGES, "mount": IMAGES_MOUNT, "name": "Example images", "kind": "internal",
              "accessible": true },
        ],
        "results": [{ "file_name": "image statistics.csv" }],
        "processes": processes,
    })
}

/// One field of every kind.
pub(super) fn every_field(_faults: &Faults) -> Value {
    json!({
        "general": {
            "title": "Every kind of field",
            "instructions": "Writes down what it was given.",
            "help_text": "For trying forms",
        },
        "data_assets": [
            { "id": FORBIDDEN, "mount": "reference", "name": "Somebody's reference", "kind": "external",
              "accessible": false, "description": "You may not read this one", "help_text": "" },
        ],
        "categories": [
            { "id": "c1", "name": "Numbers" },
            { "id": "c2", "name": "Texts", "description": "Words of all kinds" },
        ],
        "parameters": [
            { "name": "First word", "type": "text", "value_type": "string", "default_value": "one",
              "required": true },
            { "name": "Second number", "type": "text", "value_type": "integer", "default_value": "",
              "minimum": -5, "maximum": 5 },
            { "name": "Third choice", "type": "list", "value_type": "string", "default_value": "paired",
              "value_options": ["single", "paired"] },
            { "name": "Whole number", "param_name": "whole", "type": "text", "category": "c1",
              "value_type": "integer", "default_value": "100", "required": true, "minimum": 1, "maximum": 300,
              "pattern": "^[0-9]+$" },
            { "name": "Decimal number", "param_name": "decimal", "type": "text", "category": "c1",
              "value_type": "number", "default_value": "0.5", "minimum": 0, "maximum": 1 },
            { "name": "Free text", "param_name": "free", "type": "text", "category": "c2",
              "value_type": "string" },
            { "name": "Sample code", "param_name": "code", "type": "text", "category": "c2",
              "description": "Two capitals and three digits", "value_type": "string",
              "pattern": "^[A-Z]{2}[0-9]{3}$" },
            { "name": "Not the word none", "param_name": "not_none", "type": "text", "category": "c2",
              "description": "Its rule is of another dialect", "value_type": "string",
              "pattern": "^(?!none$).*$" },
            { "name": "Mode", "param_name": "mode", "type": "list", "category": "c2", "value_type": "string",
              "default_value": "fast", "value_options": ["fast", "careful", "both ways"], "required": true },
            { "name": "Size", "param_name": "size", "type": "list", "category": "c1", "value_type": "integer",
              "default_value": "10", "value_options": ["5", "10", "20"] },
            { "name": "Verbose", "param_name": "verbose", "type": "text", "value_type": "boolean",
              "default_value": "false" },
            { "name": "Reference file", "param_name": "reference", "type": "file", "value_type": "string",
              "description": "A path below /data", "default_value": "" },
            { "name": "Internal", "param_name": "internal", "type": "text", "value_type": "string",
              "default_value": "kept", "hidden": true },
        ],
        "results": [{ "file_name": "parameters.json" }],
    })
}
