"""The promises in order: (text, tests that show it, command that prints its figure, what it lacks).

Tests are `file::test` beneath tests/, parted by blanks. Read by `tests.promises`.
"""

from __future__ import annotations

HOSTILE = "python -m tests.hostile.table"
CRASH = "python -m tests.crash.table --all"
COPY = "python -m tests.bench.copy_speed"

PROMISES: tuple[tuple[str, str, str, str], ...] = (
    (
        "never runs code found in an input",
        "store/test_pickled.py::test_code_is_never_run_and_its_name_is_said"
        " store/test_parts.py::test_code_in_a_component_is_never_run"
        " cli/test_containers.py::test_code_in_a_pickle_is_one_line_and_never_runs"
        " hostile/test_corpus.py::test_a_bad_input_is_refused_in_one_sentence",
        HOSTILE,
        "",
    ),
    (
        "refuses once: no second, unsafe try, and no advice to make one",
        "store/test_pickled.py::test_no_refusal_tells_how_to_load_the_file_unsafely"
        " store/test_pickled.py::test_rubbish_is_one_sentence",
        "",
        "",
    ),
    (
        "every refusal is one line with file, reason and next step; exit 2, nothing written",
        "hostile/test_corpus.py::test_a_bad_input_is_refused_in_one_sentence"
        " cli/test_failures.py::test_a_mistake_is_one_line_and_has_its_exit_code",
        HOSTILE,
        "",
    ),
    (
        "one file, one meaning: duplicates, holes, overlaps and trailing bytes are refused",
        "store/test_header_refusals.py::test_is_refused"
        " store/test_strict_json.py::test_what_has_two_readings_is_refused",
        HOSTILE,
        "",
    ),
    (
        "never trusts a number in a file: memory is bound by the real size",
        "store/test_header.py::test_a_header_length_far_beyond_the_file_takes_no_memory"
        " store/test_gguf.py::test_numbers_that_cannot_be_are_refused_at_once"
        " store/test_torch_zip.py::test_compressed_records_are_refused_before_they_are_inflated"
        " patches/test_file.py::test_a_bomb_takes_no_more_room_than_the_tensor",
        HOSTILE,
        "",
    ),
    (
        "never hangs",
        "store/test_files.py::test_a_pipe_is_refused_and_not_waited_for"
        " store/test_pickled.py::test_too_slow_is_a_refusal"
        " store/test_hub_offline.py::"
        "test_a_hub_that_never_answers_is_told_in_one_sentence_after_a_while"
        " test_recipe_text.py::test_refuses_bombs_and_junk_within_a_second_and_few_words",
        HOSTILE,
        "",
    ),
    (
        "untouched tensors are byte-exact, in every type, with names and metadata",
        "hostile/test_corpus.py::test_an_odd_input_is_kept_byte_for_byte"
        " test_apply_containers.py::test_no_edits_reproduce_a_file_of_any_type"
        " store/test_writer.py::test_each_tensor_can_be_changed_alone",
        HOSTILE,
        "",
    ),
    (
        "names and metadata are data: never paths, markup or terminal codes",
        "cli/test_console.py::test_names_from_files_send_nothing_to_the_terminal"
        " store/test_text.py::test_characters_that_a_terminal_obeys_or_hides_become_visible"
        " hostile/test_corpus.py::test_a_bad_input_is_refused_in_one_sentence",
        HOSTILE,
        "",
    ),
    (
        "old or new, never between",
        "crash/test_crash.py::test_killed_at_a_call_what_is_left_is_whole"
        " crash/test_crash.py::test_a_signal_at_any_moment_leaves_old_or_new"
        " crash/test_crash.py::test_writers_readers_and_a_source_that_changes_never_mix"
        " store/test_writer_faults.py::"
        "test_a_failure_of_any_call_leaves_old_or_new_and_no_litter",
        CRASH,
        "",
    ),
    (
        '"done" means on the disk',
        "crash/test_crash.py::test_the_order_of_the_calls_outlives_a_power_loss",
        CRASH,
        "",
    ),
    (
        "inputs are never changed",
        "test_apply.py::test_the_input_is_left_alone"
        " store/test_preflight.py::test_an_input_is_never_an_output_however_it_is_spelt"
        " test_doctor.py::test_it_changes_nothing",
        CRASH,
        "",
    ),
    (
        "nothing lost, nothing left: no litter, mode and links kept",
        "crash/test_crash.py::test_a_call_that_fails_or_is_interrupted_leaves_no_litter"
        " crash/test_crash.py::test_mode_owner_umask_and_links_are_kept"
        " store/test_staging.py::test_what_dead_processes_left_is_removed",
        CRASH,
        "",
    ),
    (
        "knows at once whether it can finish: room, rights, output = input",
        "test_apply.py::test_too_little_room_is_told_before_anything_is_solved"
        " store/test_writer_crash.py::test_a_read_only_folder_is_refused_before_reading"
        " store/test_preflight.py::test_too_little_room_says_both_numbers"
        " store/test_hub.py::test_too_little_room_is_told_before_any_download",
        CRASH,
        "",
    ),
    (
        "stops when told, within two seconds, and the old output is intact",
        "crash/test_crash.py::test_a_signal_at_any_moment_leaves_old_or_new"
        " cli/test_apply.py::test_a_signal_at_any_moment_leaves_the_output_whole_or_absent"
        " cli/test_stopping.py::"
        "test_a_request_to_end_becomes_an_exception_that_knows_its_exit_code",
        CRASH,
        "",
    ),
    (
        "a source that changes under it is an error, not a crash",
        "crash/test_crash.py::test_writers_readers_and_a_source_that_changes_never_mix"
        " store/test_writer.py::test_a_source_that_changes_during_the_write_is_refused"
        " store/test_contents.py::test_a_file_cut_short_after_opening_is_an_error",
        CRASH,
        "",
    ),
    (
        "run again: the same bytes",
        "test_apply.py::test_the_same_recipe_and_base_give_the_same_bytes"
        " test_promises.py::test_threads_and_hash_seeds_do_not_change_a_byte",
        "",
        "another kind of processor: a BLAS of its own may round otherwise",
    ),
    (
        "a recipe cannot leave its folder, read the environment or open the network",
        "test_recipe_files.py::test_a_recipe_does_not_reach_outside_its_folder"
        " test_recipe_text.py::test_refuses_with_the_line"
        " hostile/test_corpus.py::test_a_bad_input_is_refused_in_one_sentence",
        HOSTILE,
        "",
    ),
    (
        "a recipe with a mistake is refused with its line",
        "test_recipe.py::test_a_mistake_opens_with_line_and_field"
        " test_recipe_text.py::test_refuses_with_the_line"
        " cli/test_apply.py::"
        "test_a_mistake_in_a_recipe_is_told_with_its_line_and_nothing_is_written",
        HOSTILE,
        "",
    ),
    (
        "the plan shows every tensor that will change, and the run changes exactly those",
        "test_apply.py::test_changes_exactly_the_tensors_of_the_plan"
        " test_apply.py::test_the_untouched_gate_reads_the_output_back",
        "python -m tests.bench.sd15 check FOLDER OUT",
        "",
    ),
    (
        "every downloaded byte is checked against its hash before use",
        "store/test_hub.py::test_a_flipped_byte_is_noticed_and_nothing_is_written"
        " store/test_hub_cache.py::test_a_file_with_its_hash_is_kept_and_a_false_one_goes"
        " store/test_ranges.py::test_other_bytes_than_those_asked_for_are_refused",
        "",
        "ranges fetched for a patch or LoRA alone: no hash covers a part of a file",
    ),
    (
        "works from the commit that it names",
        "store/test_hub.py::test_a_failing_hub_is_never_answered_from_an_old_download"
        " store/test_hub.py::test_a_branch_that_moves_gives_its_new_commit",
        "",
        "",
    ),
    (
        "a push is one commit or none, and never over someone else's",
        "store/test_hub_push_faults.py::test_a_refusal_is_one_sentence_and_changes_nothing"
        " store/test_hub_push_faults.py::test_somebody_who_is_first_keeps_their_commit_and_is_named"
        " store/test_hub_push_faults.py"
        "::test_a_push_that_is_killed_at_any_request_leaves_the_old_commit_or_the_new_one",
        "",
        "",
    ),
    (
        "a push is read back",
        "store/test_hub_push.py::test_a_push_is_one_commit_that_is_read_back"
        " store/test_hub_push_faults.py::test_other_bytes_than_were_sent_are_noticed"
        " store/test_hub_offline.py::test_what_the_clients_own_upload_sends_can_be_read_back",
        "",
        "",
    ),
    (
        "the token goes to its endpoint and nowhere else",
        "store/test_ranges.py::test_a_range_is_read_from_the_other_origin_without_the_token"
        " store/test_hub.py::test_inspect_fetches_headers_and_configs_only"
        " store/test_ranges.py::test_errors_never_show_the_signed_place"
        " cli/test_failures.py::test_no_token_reaches_the_log_of_a_bug"
        " store/test_hub_push.py::test_the_token_is_used_and_never_shown",
        "",
        "",
    ),
    (
        "no network unless asked; no telemetry",
        "store/test_hub.py::test_nothing_is_asked_or_told_that_nobody_asked_for"
        " store/test_hub_offline.py::test_the_main_job_needs_no_network_at_all"
        " store/test_hub_offline.py::"
        "test_the_main_job_on_this_machine_opens_no_socket_and_needs_no_client",
        "",
        "",
    ),
    (
        "bounded memory, whatever the size of the model",
        "test_load.py::test_memory_does_not_grow_with_the_model"
        " crash/test_crash.py::test_little_memory_and_few_descriptors_are_told",
        COPY,
        "",
    ),
    (
        "load: 100,000 tensors, 1,000 shards, 2,000 steps, a header of 25 MB",
        "test_load.py::test_a_hundred_thousand_tensors_are_inspected_and_copied"
        " test_load.py::test_a_header_of_almost_25_megabytes_is_read"
        " test_load.py::test_a_thousand_shards_are_opened_and_inspected"
        " test_load.py::test_two_thousand_steps_are_read_and_planned",
        "pytest tests/test_load.py --durations=0",
        "",
    ),
    (
        "fuzzed: the strict reader is never laxer than the reference",
        "hostile/test_fuzz.py::"
        "test_invented_headers_are_never_read_more_laxly_than_by_the_reference"
        " hostile/test_fuzz.py::"
        "test_mutated_files_are_never_read_more_laxly_than_by_the_reference"
        " hostile/test_fuzz.py::test_any_bytes_as_a_header_end_in_our_error"
        " hostile/test_fuzz.py::test_mutated_recipes_end_in_a_recipe_or_our_error"
        " hostile/test_fuzz.py::test_any_text_as_an_address_is_a_place_or_our_error",
        "pytest tests/hostile/test_fuzz.py --hypothesis-show-statistics",
        "",
    ),
    (
        "every bug becomes a case",
        "hostile/test_corpus.py::"
        "test_the_corpus_is_as_large_as_promised_and_has_no_name_twice"
        " hostile/test_corpus.py::test_the_files_are_small_and_the_same_on_every_run",
        HOSTILE,
        "",
    ),
    (
        "verifiable: an output can be held against a record, and a flipped bit is noticed",
        "patches/test_file.py::test_every_flipped_byte_is_noticed_and_nothing_is_written"
        " store/test_journal.py::test_every_flipped_bit_and_every_cut_is_noticed"
        " patches/test_base.py::test_another_model_is_refused_with_what_differs"
        " test_reproduce.py::test_a_last_bit_is_rounding_and_told_to_be_of_later"
        " test_reproduce.py::test_a_tensor_outside_the_edit_that_differs_is_named",
        "",
        "",
    ),
    (
        "new numbers are sane: an edit that makes NaN, infinity or an overflow stops",
        "test_rounding.py::test_an_overflow_of_the_stored_type_is_an_error"
        " test_solve.py::test_a_solution_that_is_not_finite_is_an_error"
        " test_scaled.py::test_what_is_not_finite_is_refused_under_a_scale_too"
        " lora/test_files.py::test_numbers_too_large_for_half_precision_are_refused",
        "",
        "",
    ),
    (
        "supply chain: exact versions, no code at install, a way to report holes",
        "test_promises.py::test_every_dependency_is_held_to_one_version"
        " test_promises.py::test_nothing_of_ours_runs_when_it_is_installed"
        " test_promises.py::test_it_is_said_how_to_report_a_hole",
        "",
        "hashes beside the versions, an SBOM, trusted publishing",
    ),
)
