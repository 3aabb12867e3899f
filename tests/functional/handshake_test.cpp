#include <doctest/doctest.h>

#include <caf/io/middleman.hpp>

#include <atomic>

#include "actors/supervisor/supervisor_actor.hpp"
#include "tests/functional/cluster.hpp"

using namespace soma;
using namespace soma::cluster;
using namespace soma::mesh;
using namespace soma::supervisor;
using namespace soma::support;

namespace {

supervisor_actor::behavior_type counting_role(supervisor_actor::pointer,
                                              std::shared_ptr<std::atomic<int>> asked) {
  return {[asked](const message<schema::GetHealth>&) {
    ++*asked;
    return message<schema::Health>{};
  }};
}

}  // namespace

// By security §1.1 only processes of the operator pass the handshake.
TEST_CASE(
    "no peer without a certificate of the operator's CA gets past the handshake or disturbs those "
    "that have one") {
  const scratch_folder folder;
  const operator_ca ours(folder / "ours"), theirs(folder / "theirs");
  cluster_process server(ours.identity("server"));
  const auto asked = std::make_shared<std::atomic<int>>(0);
  const auto role = server.system.spawn(counting_role, asked);
  const auto port = publish_role(role, {"127.0.0.1", 0});
  REQUIRE(port.has_value());
  const host_port at{"127.0.0.1", *port};

  cluster_process friendly(ours.identity("friend"));
  const auto reached = connect_role<supervisor_actor>(friendly.system, at);
  REQUIRE_MESSAGE(reached.has_value(), reached.error());
  CHECK(ask<schema::Health>(friendly.system, *reached, message<schema::GetHealth>{}));
  CHECK(*asked == 1);

  auto of_another_ca = theirs.identity("stranger");
  of_another_ca.ca = ours.ca();  // so that the server has to refuse
  const cluster_identity self_signed{theirs.ca(), theirs.ca_key(), ours.ca()};
  const cluster_identity none{};
  for (const auto& [who, identity] :
       {std::pair{"a certificate of another CA", of_another_ca},
        std::pair{"a self-signed certificate", self_signed}, std::pair{"no certificate", none}}) {
    CAPTURE(who);
    cluster_process stranger(identity);
    for (int attempt = 0; attempt < 3; ++attempt) {
      CHECK_FALSE(connect_role<supervisor_actor>(stranger.system, at).has_value());
    }
    // A peer without TLS is refused, too.
    CHECK_FALSE(
        stranger.system.middleman().remote_actor<supervisor_actor>(at.host, at.port).engaged());
    CHECK(ask<schema::Health>(friendly.system, *reached, message<schema::GetHealth>{}));
  }
  CHECK(*asked == 4);  // only the questions of the operator's process
  caf::anon_send_exit(role, caf::exit_reason::user_shutdown);
}

// By security §1.3 a role of another type is refused.
TEST_CASE("another role at the address, or no role, is a refusal that says so") {
  const scratch_folder folder;
  const operator_ca ours(folder / "ours");
  cluster_process server(ours.identity("server")), client(ours.identity("client"));
  const auto role = server.system.spawn(counting_role, std::make_shared<std::atomic<int>>(0));
  const auto port = publish_role(role, {"127.0.0.1", 0});
  REQUIRE(port.has_value());
  const host_port at{"127.0.0.1", *port};
  using other_actor = caf::typed_actor<
      caf::replies_to<message<schema::GetChain>>::with<message<schema::ChainStatus>>>;
  CHECK(connect_role<other_actor>(client.system, at).error() == "another role is published there");
  REQUIRE(connect_role<supervisor_actor>(client.system, at).has_value());
  unpublish_role(server.system, caf::actor_cast<caf::strong_actor_ptr>(role), *port);
  CHECK(comes_true([&] {
    cluster_process late(ours.identity("late" + std::to_string(::rand())));
    return !connect_role<supervisor_actor>(late.system, at).has_value();
  }));
  caf::anon_send_exit(role, caf::exit_reason::user_shutdown);
}
