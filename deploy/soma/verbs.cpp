#include "deploy/soma/verbs.hpp"

namespace soma {

std::vector<std::unique_ptr<verb>> all_verbs() {
  std::vector<std::unique_ptr<verb>> all;
  all.push_back(make_localnet());
  all.push_back(make_ask());
  all.push_back(make_explain());
  all.push_back(make_model_init());
  all.push_back(make_model_train());
  all.push_back(make_model_score());
  all.push_back(make_node_run());
  all.push_back(make_scorer());
  all.push_back(make_node_new_ca());
  all.push_back(make_node_new_cert());
  all.push_back(make_node_new_genesis());
  all.push_back(make_bench_score());
  all.push_back(make_bench_route());
  all.push_back(make_bench_train());
  all.push_back(make_config_show());
  return all;
}

}  // namespace soma
