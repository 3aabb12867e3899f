#include "deploy/soma/verbs.hpp"

namespace soma::cli {

std::vector<std::unique_ptr<verb>> all_verbs() {
  std::vector<std::unique_ptr<verb>> all;
  all.push_back(make_localnet());
  all.push_back(make_ask());
  all.push_back(make_status());
  all.push_back(make_explain());
  all.push_back(make_prove());
  all.push_back(make_verify_proof());
  all.push_back(make_model_init());
  all.push_back(make_model_train());
  all.push_back(make_model_score());
  all.push_back(make_model_publish());
  all.push_back(make_model_pull());
  all.push_back(make_model_list());
  all.push_back(make_model_info());
  all.push_back(make_model_retire());
  all.push_back(make_target_list());
  all.push_back(make_target_info());
  all.push_back(make_wallet_new());
  all.push_back(make_wallet_list());
  all.push_back(make_wallet_balance());
  all.push_back(make_wallet_send());
  all.push_back(make_wallet_faucet());
  all.push_back(make_stake_add());
  all.push_back(make_stake_withdraw());
  all.push_back(make_stake_commission());
  all.push_back(make_stake_list());
  all.push_back(make_validator_join());
  all.push_back(make_validator_leave());
  all.push_back(make_genesis_new());
  all.push_back(make_genesis_inspect());
  all.push_back(make_node_run());
  all.push_back(make_scorer());
  all.push_back(make_gateway_endpoints());
  all.push_back(make_node_new_ca());
  all.push_back(make_node_new_cert());
  all.push_back(make_verify_epoch());
  all.push_back(make_sim_consensus());
  all.push_back(make_bench_score());
  all.push_back(make_bench_route());
  all.push_back(make_bench_train());
  all.push_back(make_bench_ledger());
  all.push_back(make_bench_consensus());
  all.push_back(make_bench_gateway());
  all.push_back(make_config_show());
  return all;
}

}  // namespace soma::cli
