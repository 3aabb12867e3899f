# What a test costs, so that ctest keeps every core busy and starts the longest tests first. It is in
# one place, because the numbers are measured together: seconds of a run on two cores. deploy/test
# gives ctest one slot more than twice the number of cores. A test that computes fills a core and
# takes two slots; one that mostly waits for processes, clocks or the disk takes one. So beside the
# tests that compute there is always one that waits, and at the end many wait together. A test that
# is not listed takes few seconds and one slot.
#
#   NAME SECONDS computes|waits
set(SOMA_TEST_COSTS
  operator_processes 130 waits
  examples 80 waits
  user_files 75 waits
  guide 60 waits
  state_sync 40 waits
  lmdb 40 waits
  votes 35 waits
  consensus_processes 45 waits
  economy_verbs 40 waits
  blob_processes 45 waits
  state_sync_processes 40 waits
  processes 25 waits
  tables_kill 20 waits
  tables 16 waits
  kill_campaign 15 waits
  journal 15 waits
  mesh 12 waits
  blob_keeper 10 waits
  fuzz.replay 10 waits
  commands 30 computes
  localnet 35 computes
  scorer 40 computes
  exact_digests 35 computes
  rules_property 25 computes
  engine_agreement 22 computes
  replay 16 computes
  simulation 17 computes
  simulation_mutants 7 computes
  mutants.agreement_caught 60 computes
  simulation_scenarios 12 computes
  simulation_network_scenarios 12 computes
  localnet_scenarios 9 computes
  fuzz.parsing 15 computes
  fuzz.running 12 computes
  elementary 8 computes
  blob_exchange 5 computes
  cli_model 8 computes
  consensus 6 computes
  cli_source 5 computes
  cli_bench 8 computes
  cli_bench_gateway 15 computes
  signing 5 computes
  rules 4 computes)

# soma_test_cost(NAME): tells ctest the cost of this test.
function(soma_test_cost name)
  set(seconds 3)
  set(slots 1)
  list(FIND SOMA_TEST_COSTS ${name} at)
  if(NOT at EQUAL -1)
    math(EXPR at "${at} + 1")
    list(GET SOMA_TEST_COSTS ${at} seconds)
    math(EXPR at "${at} + 1")
    list(GET SOMA_TEST_COSTS ${at} kind)
    if(kind STREQUAL computes)
      set(slots 2)
      # These come first. Otherwise each slot that becomes free would go to a test that waits, and
      # two slots would be free together only when all of those are done.
      math(EXPR seconds "${seconds} + 1000")
    endif()
  endif()
  set_tests_properties(${name} PROPERTIES COST ${seconds} PROCESSORS ${slots})
endfunction()
