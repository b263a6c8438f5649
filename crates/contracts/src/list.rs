//! The list: every case, each once. Tests of this crate hold it against the files.

/// Makes one test of each case for this harness.
#[macro_export]
macro_rules! contract {
    ($harness:ty) => {
        $crate::suite! { $harness;
            journal: [
                a_commit_leaves_exactly_one_event_that_says_who_where_and_what,
                a_transaction_that_is_dropped_leaves_nothing,
                several_changes_are_committed_together_or_not_at_all,
                one_record_changes_twice_in_one_transaction,
                records_change_while_the_clock_is_behind,
                a_stale_change_is_a_conflict_and_leaves_no_trace,
                a_stale_change_of_an_organization_or_a_key_is_a_conflict,
                what_is_new_cannot_be_written_twice,
                of_two_writers_that_race_one_wins,
                what_a_transaction_reads_holds_until_it_commits,
                a_view_does_not_change_while_it_is_open,
                every_kind_of_change_leaves_its_event,
                every_change_is_told_of_before_it_is_acknowledged,
                what_is_not_committed_is_not_told_of,
            ],
            organizations: [
                every_state_of_an_organization_is_read_back_as_it_was_written,
                there_is_one_platform,
                tn_03_two_organizations_may_have_one_slug,
                the_organization_of_a_client_is_known,
            ],
            tenants: [
                nothing_of_another_organization_is_visible,
                a_change_of_another_organization_is_a_conflict_and_leaves_no_trace,
                no_credential_is_made_for_an_agent_of_another_organization,
                tn_11_one_idempotency_key_in_two_organizations_is_two_keys,
                one_token_id_in_two_organizations_is_two_tokens,
            ],
            agents: [
                every_field_and_state_of_an_agent_is_read_back_as_it_was_written,
                an_address_is_held_by_one_agent_in_any_spelling,
                an_address_is_free_once_its_agent_is_gone,
                tn_03_an_address_is_free_in_another_organization,
                agents_count_until_they_are_gone,
                another_admin_is_an_active_one,
                only_what_an_active_agent_answers_to_is_registered,
                a_key_finds_the_agent_that_was_registered_under_it,
                one_key_of_two_callers_is_two_keys,
                a_key_is_forgotten_after_its_time_and_may_be_used_again,
                an_agent_last_authenticated_when_any_of_its_credentials_was_used,
            ],
            agent_lists: [
                pages_by_number_and_by_cursor_agree_and_run_newest_first,
                each_filter_matches_alone_and_all_match_together,
                a_capability_is_found_as_long_as_it_is_held,
                archived_agents_are_listed_only_when_asked_for,
                rg_07_a_filter_matches_its_text_and_no_pattern,
            ],
            credentials: [
                every_field_and_state_of_a_credential_is_read_back_as_it_was_written,
                a_rotation_writes_both_credentials_or_none,
                a_rotation_leaves_one_event_for_two_rows,
                credentials_of_an_agent_are_listed_newest_first,
                only_credentials_that_work_are_counted,
                the_last_use_of_a_credential_is_kept_and_never_goes_back,
                a_failure_is_no_use,
            ],
            client_keys: [
                every_kind_and_state_of_a_key_is_read_back_as_it_was_written,
                a_secret_is_no_key_and_a_key_no_secret,
                a_key_is_found_by_what_its_client_calls_it,
                an_id_or_a_key_that_is_live_is_not_taken_again,
                what_an_agent_authenticates_by_is_told_and_nothing_else,
                keys_of_an_agent_are_listed_newest_first,
                a_stale_change_of_a_key_is_a_conflict_and_leaves_no_trace,
                tn_01_no_key_is_seen_or_made_from_another_organization,
                cr_03_of_many_keys_at_once_ten_are_registered,
                ca_03_a_secret_and_a_key_that_race_never_stand_side_by_side,
                ca_03_no_secret_is_made_or_rotated_beside_a_key_whoever_asks,
                ca_03_no_key_is_made_beside_a_secret_that_never_ends_whoever_asks,
                the_first_key_and_the_ends_of_the_secrets_are_written_together_or_not_at_all,
                the_last_use_of_a_key_is_kept_for_it_and_its_agent,
            ],
            key_keeping: [
                jr_06_of_many_replicas_that_keep_up_at_once_one_makes_the_keys,
            ],
            tokens: [
                a_revoked_token_is_found_and_no_other,
                a_revocation_is_remembered_for_as_long_as_its_token_could_live,
                a_revocation_is_forgotten_once_its_token_is_over,
                every_state_of_a_signing_key_is_read_back_as_it_was_written,
                a_signing_key_that_ends_before_its_time_is_read_back_too,
                a_signing_key_that_cannot_be_read_ends_from_every_state_and_gives_its_place_up,
                jr_06_a_signing_key_that_cannot_be_read_ends_once_and_by_the_state_that_it_has,
                signing_keys_are_read_in_the_order_in_which_they_were_made,
                one_signing_key_of_each_algorithm_signs_and_one_is_next,
                jr_06_a_stale_rotation_is_a_conflict_and_leaves_no_trace,
                a_second_active_signing_key_is_a_conflict_and_leaves_no_trace,
                signing_keys_are_the_same_in_every_organization,
            ],
            single_uses: [
                what_was_used_once_is_used_for_good,
                ca_08_of_many_uses_at_once_exactly_one_is_the_first,
                a_use_that_is_given_up_keeps_nobody_waiting,
                many_that_forget_at_once_do_not_get_in_the_way_of_each_other,
                ca_10_one_id_in_two_organizations_is_two,
                ck_02_a_use_is_remembered_past_its_time_and_then_forgotten,
            ],
            notes: [
                a_note_is_readable_once_it_is_told_of,
                a_note_that_says_little_is_read_back_as_it_was_written,
                each_of_many_notes_at_once_is_its_own_event,
                a_note_that_cannot_be_written_fails_alone,
                a_note_tells_of_no_change,
            ],
            log: [
                each_filter_of_the_log_matches_alone_and_all_match_together,
                a_window_of_time_has_its_beginning_and_not_its_end,
                pages_of_the_log_agree_and_run_newest_first,
                rg_07_a_resource_matches_its_text_and_no_pattern,
            ],
            logs: [
                every_committed_event_waits_for_its_place_in_the_order_written,
                au_15_events_wait_in_the_order_written_while_the_clock_is_behind,
                an_event_of_a_transaction_that_is_dropped_never_waits,
                a_turn_that_is_dropped_leaves_all_as_it_was,
                what_has_a_place_waits_no_longer,
                an_event_gets_one_place_and_only_in_the_turn_that_read_it,
                places_are_given_bite_by_bite_without_a_gap_or_a_double,
                leaves_are_read_back_as_they_were_written,
                an_event_tells_its_place_as_soon_as_it_has_one,
                tiles_hold_the_hashes_that_were_stored,
                stored_hashes_of_every_level_are_read_back,
                nothing_of_the_log_of_another_organization_is_visible,
                logs_are_named_page_by_page,
                a_log_waits_for_as_long_as_something_is_to_be_done_in_it,
                no_more_logs_are_named_than_asked_for,
            ],
            log_states: [
                how_far_a_log_has_come_is_read_back_as_it_was_written,
                the_time_of_the_latest_event_never_goes_back,
                the_newest_checkpoint_is_kept,
                the_signature_of_a_witness_is_added_and_nothing_is_taken_away,
                au_11_a_smaller_checkpoint_or_another_of_the_same_size_is_refused,
                a_checkpoint_of_more_than_there_is_is_refused,
                a_log_that_is_halted_is_neither_extended_nor_signed,
                what_halted_a_log_first_is_what_stays,
                logs_that_are_halted_are_named_with_the_reason_of_each,
                an_acknowledged_log_goes_on_and_leaves_exactly_one_event,
                what_halts_a_log_is_acknowledged_once,
            ],
            log_trims: [
                what_may_be_erased_changes_with_exactly_one_event,
                a_stale_change_of_what_may_be_erased_is_a_conflict_and_leaves_no_trace,
                what_no_checkpoint_covers_may_not_be_erased,
                nothing_is_erased_before_an_event_says_so,
                au_04_nothing_is_erased_in_a_log_that_is_halted,
                what_may_be_erased_is_and_no_more,
                erasing_goes_on_bite_by_bite_from_where_it_was,
                erasing_in_one_organization_touches_no_other,
                an_erased_event_is_neither_listed_nor_got_and_keeps_its_leaf,
                the_log_goes_on_behind_what_was_erased,
                the_last_use_of_a_credential_outlives_its_event,
                the_last_use_of_a_key_outlives_its_event,
            ],
            checkpoint_keys: [
                checkpoint_keys_are_read_back_oldest_first_in_every_organization,
                a_checkpoint_key_leaves_exactly_one_event,
                one_checkpoint_key_twice_is_a_conflict_and_leaves_no_trace,
            ],
        }
    };
}

/// Makes one test of each case of the rate limiter for this harness.
#[macro_export]
macro_rules! limiter_contract {
    ($harness:ty) => {
        $crate::suite! { $harness;
            rates: [
                the_limit_is_admitted_and_no_more,
                a_burst_around_the_edge_of_a_minute_is_no_second_limit,
                any_minute_of_a_steady_stream_stays_within_the_limit,
                a_refused_request_is_not_counted,
                all_of_the_limit_is_free_when_it_says_so,
                keys_do_not_touch_each_other,
                tn_11_one_agent_id_in_two_organizations_is_two_buckets,
                a_clock_that_is_set_back_opens_no_gate,
            ],
        }
    };
}

/// Makes one test of each case of the memory of proofs for this harness.
#[macro_export]
macro_rules! proof_uses_contract {
    ($harness:ty) => {
        $crate::suite! { $harness;
            proof_uses: [
                dp_06_what_was_used_is_used,
                dp_06_of_64_uses_at_once_exactly_one_is_the_first,
                dp_06_a_proof_of_another_epoch_is_not_taken,
                tn_11_one_proof_in_two_organizations_is_two,
            ],
        }
    };
}

/// Makes one test of each case of the feed of changes for this harness.
///
/// A store that is one process's alone has no feed: every change of it is told to its listener.
#[macro_export]
macro_rules! feed_contract {
    ($harness:ty) => {
        $crate::suite! { $harness;
            feed: [
                the_first_look_knows_nothing_and_the_next_one_tells,
                a_look_without_news_is_empty,
                what_is_not_committed_is_no_news,
                a_change_that_commits_after_a_later_one_is_not_missed,
                every_feed_hears_of_every_change,
            ],
        }
    };
}

/// Makes one test of each case of the lease of a log for this harness.
///
/// A store that is one process's alone has one sequencer.
#[macro_export]
macro_rules! lease_contract {
    ($harness:ty) => {
        $crate::suite! { $harness;
            leases: [
                no_other_sequencer_gets_a_turn_while_one_is_in_it,
                no_other_sequencer_gets_a_turn_while_one_holds_the_lease,
                an_event_that_commits_after_a_later_one_gets_its_place,
            ],
        }
    };
}

/// Makes one test of each case of those who write at the same time, for this harness.
///
/// A store that has one writer has one transaction at a time.
#[macro_export]
macro_rules! writers_contract {
    ($harness:ty) => {
        $crate::suite! { $harness;
            writers: [
                a_use_waits_for_no_change_of_its_organization,
            ],
        }
    };
}

/// Makes one test of each case of the hints for this harness.
#[macro_export]
macro_rules! hints_contract {
    ($harness:ty) => {
        $crate::suite! { $harness;
            hints: [
                who_listens_hears,
                everybody_who_listens_hears,
                what_was_announced_before_anybody_waited_is_heard,
                a_wait_that_is_given_up_loses_nothing,
                of_many_announcements_at_least_one_is_heard,
                after_each_hearing_the_next_announcement_is_heard,
                who_is_not_concerned_hears_nothing,
                nobody_need_listen,
            ],
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! suite {
    ($harness:ty; $($file:ident: [$($case:ident,)+],)+) => {$(
        mod $file {
            use super::*;
            $(
                #[test]
                fn $case() {
                    $crate::run($crate::cases::$file::$case::<$harness>());
                }
            )+
        }
    )+};
}
