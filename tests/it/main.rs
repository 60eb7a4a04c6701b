//! The one integration test binary: a file per step or concern.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start the binary and real tools, and read their own environment"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod actions;
mod archive;
mod archive_damaged;
mod archive_failures;
mod archive_hostile;
mod audits;
mod base;
mod baseline;
mod cache;
mod cache_key;
mod cache_key_action;
mod cache_key_mutations;
mod cache_prune;
mod docs;
mod drift;
mod duplicates;
mod environments;
mod fuzzing;
mod gate_action;
mod generated;
mod hash_files;
mod hash_files_campaign;
mod install;
mod line_hash;
mod lint_gate;
mod lint_gate_baseline;
mod lint_gate_checkers;
mod lint_gate_failures;
mod lint_gate_projects;
mod linters;
mod lockfile_action;
mod lockfile_actions_online;
mod lockfile_age;
mod lockfile_bad_input;
mod lockfile_change;
mod lockfile_change_formats;
mod lockfile_compiled_sync;
mod lockfile_corpus;
mod lockfile_direct_sources;
mod lockfile_drift;
mod lockfile_environments;
mod lockfile_fix;
mod lockfile_graph;
mod lockfile_hashes;
mod lockfile_ignores;
mod lockfile_index;
mod lockfile_mutations;
mod lockfile_not_read;
mod lockfile_pipfile;
mod lockfile_pipfile_sync;
mod lockfile_platforms;
mod lockfile_poetry_pdm;
mod lockfile_pylock;
mod lockfile_requirements;
mod lockfile_sources;
mod lockfile_tools;
mod lockfile_uv_mutations;
mod lockfile_uv_sync;
mod lockfile_verify;
mod lockfile_workflows;
mod merge_scenarios;
mod migrating;
mod pipeline;
mod pipeline_schedule;
mod processes;
mod reports;
mod stores_buckets;
mod stores_service;
mod support;
mod tidy;
mod wheel;
