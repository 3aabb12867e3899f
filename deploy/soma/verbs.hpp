// All verbs of the program.
#pragma once

#include <memory>
#include <vector>

#include "deploy/soma/shell/verb.hpp"

namespace soma::cli {

[[nodiscard]] std::unique_ptr<verb> make_config_show();
[[nodiscard]] std::unique_ptr<verb> make_localnet();
[[nodiscard]] std::unique_ptr<verb> make_ask();
[[nodiscard]] std::unique_ptr<verb> make_explain();
[[nodiscard]] std::unique_ptr<verb> make_prove();
[[nodiscard]] std::unique_ptr<verb> make_verify_proof();
[[nodiscard]] std::unique_ptr<verb> make_model_init();
[[nodiscard]] std::unique_ptr<verb> make_model_train();
[[nodiscard]] std::unique_ptr<verb> make_model_score();
[[nodiscard]] std::unique_ptr<verb> make_node_new_ca();
[[nodiscard]] std::unique_ptr<verb> make_node_new_cert();
[[nodiscard]] std::unique_ptr<verb> make_genesis_new();
[[nodiscard]] std::unique_ptr<verb> make_genesis_inspect();
[[nodiscard]] std::unique_ptr<verb> make_wallet_new();
[[nodiscard]] std::unique_ptr<verb> make_wallet_list();
[[nodiscard]] std::unique_ptr<verb> make_wallet_balance();
[[nodiscard]] std::unique_ptr<verb> make_wallet_send();
[[nodiscard]] std::unique_ptr<verb> make_wallet_faucet();
[[nodiscard]] std::unique_ptr<verb> make_gateway_endpoints();
[[nodiscard]] std::unique_ptr<verb> make_stake_add();
[[nodiscard]] std::unique_ptr<verb> make_stake_withdraw();
[[nodiscard]] std::unique_ptr<verb> make_stake_commission();
[[nodiscard]] std::unique_ptr<verb> make_stake_list();
[[nodiscard]] std::unique_ptr<verb> make_validator_join();
[[nodiscard]] std::unique_ptr<verb> make_validator_leave();
[[nodiscard]] std::unique_ptr<verb> make_model_publish();
[[nodiscard]] std::unique_ptr<verb> make_model_pull();
[[nodiscard]] std::unique_ptr<verb> make_model_list();
[[nodiscard]] std::unique_ptr<verb> make_model_info();
[[nodiscard]] std::unique_ptr<verb> make_model_retire();
[[nodiscard]] std::unique_ptr<verb> make_target_list();
[[nodiscard]] std::unique_ptr<verb> make_target_info();
[[nodiscard]] std::unique_ptr<verb> make_status();
[[nodiscard]] std::unique_ptr<verb> make_node_run();
[[nodiscard]] std::unique_ptr<verb> make_scorer();
[[nodiscard]] std::unique_ptr<verb> make_bench_score();
[[nodiscard]] std::unique_ptr<verb> make_bench_route();
[[nodiscard]] std::unique_ptr<verb> make_bench_train();
[[nodiscard]] std::unique_ptr<verb> make_bench_ledger();
[[nodiscard]] std::unique_ptr<verb> make_bench_consensus();
[[nodiscard]] std::unique_ptr<verb> make_bench_gateway();
[[nodiscard]] std::unique_ptr<verb> make_verify_epoch();
[[nodiscard]] std::unique_ptr<verb> make_sim_consensus();

/// Makes every verb, in the order in which --help lists them.
[[nodiscard]] std::vector<std::unique_ptr<verb>> all_verbs();

}  // namespace soma::cli
