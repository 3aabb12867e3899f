// The verbs there are.
#pragma once

#include <memory>
#include <vector>

#include "deploy/soma/verb.hpp"

namespace soma {

[[nodiscard]] std::unique_ptr<verb> make_config_show();
[[nodiscard]] std::unique_ptr<verb> make_localnet();
[[nodiscard]] std::unique_ptr<verb> make_ask();
[[nodiscard]] std::unique_ptr<verb> make_explain();
[[nodiscard]] std::unique_ptr<verb> make_model_init();
[[nodiscard]] std::unique_ptr<verb> make_model_train();
[[nodiscard]] std::unique_ptr<verb> make_model_score();
[[nodiscard]] std::unique_ptr<verb> make_node_new_ca();
[[nodiscard]] std::unique_ptr<verb> make_node_new_cert();
[[nodiscard]] std::unique_ptr<verb> make_node_new_genesis();
[[nodiscard]] std::unique_ptr<verb> make_node_run();
[[nodiscard]] std::unique_ptr<verb> make_scorer();
[[nodiscard]] std::unique_ptr<verb> make_bench_score();
[[nodiscard]] std::unique_ptr<verb> make_bench_route();
[[nodiscard]] std::unique_ptr<verb> make_bench_train();

/// In the order of the help.
[[nodiscard]] std::vector<std::unique_ptr<verb>> all_verbs();

}  // namespace soma
