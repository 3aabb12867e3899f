#include <doctest/doctest.h>

#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <stdexcept>

#include "actors/localnet/world.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "messages/codec/model_entry.hpp"

using namespace soma;
using namespace soma::clock;
using namespace soma::localnet;
using namespace soma::supervisor;

namespace {

using names = std::vector<std::string>;

caf::behavior role(caf::event_based_actor* self, const std::shared_ptr<names>& ended,
                   const std::string& name) {
  self->attach_functor([ended, name](const caf::error&) { ended->push_back(name); });
  return {[self](std::uint64_t) {
    self->quit(caf::make_error(caf::sec::runtime_error, "disk is gone"));
  }};
}

/// Time in a world moves from alarm to alarm. With this actor it moves by at most 100 ms at a time.
void tick(caf::event_based_actor* self, const clock_actor& clock) {
  self->request(clock, caf::infinite,
                message<schema::Wait>::build([](auto out) { out.setMs(100); }))
      .then([=](const message<schema::Time>&) { tick(self, clock); });
}

/// A supervisor with three roles in virtual time; `elsewhere` is a role of another process.
struct fixture {
  world net{1, 0};
  std::shared_ptr<names> ended = std::make_shared<names>();
  std::vector<std::uint64_t> starts_ms;
  std::vector<std::size_t> ended_at_start;
  std::vector<std::uint32_t> pauses_ms;
  unsigned failures_left = 0, doors_closed = 0;
  enum class trouble : std::uint8_t { before_roles, amid_roles, exception } kind{};
  caf::actor elsewhere, first, last;
  supervisor_actor head;

  void spawn() {
    auto& system = net.system();
    system.spawn([clock = net.clock()](caf::event_based_actor* self) { tick(self, clock); });
    elsewhere = system.spawn(role, ended, std::string("elsewhere"));
    supervisor_ports ports;
    ports.clock = net.clock();
    ports.start = [this](std::vector<supervised>& all) { return start(all); };
    ports.on_failure = [this](const role_failure&, std::uint32_t ms) { pauses_ms.push_back(ms); };
    ports.before_stop = [this] { ++doors_closed; };
    head = system.spawn(soma::supervisor::supervisor, ports, supervisor_options{});
    run_for(0);
  }
  expected<void, role_failure> start(std::vector<supervised>& all) {
    starts_ms.push_back(net.now_ms());
    ended_at_start.push_back(ended->size());
    const bool fails = failures_left > 0;
    if (fails) --failures_left;
    const role_failure why{"elsewhere", "not there yet"};
    if (fails && kind == trouble::before_roles) return make_unexpected(why);
    all.push_back(supervise("elsewhere", elsewhere, false));
    first = net.system().spawn(role, ended, std::string("first"));
    all.push_back(supervise("first", first));
    last = net.system().spawn(role, ended, std::string("last"));
    all.push_back(supervise("last", last));
    if (fails && kind == trouble::exception) throw std::runtime_error("no thread is left");
    if (fails) return make_unexpected(why);
    return {};
  }
  void run_for(std::uint64_t ms) {
    const auto until = net.now_ms() + ms;
    net.run_until([] { return false; }, [] { return false; }, until);
  }
  void break_role(const caf::actor& who) {
    caf::anon_send(who, std::uint64_t{0});
    run_for(0);
  }
  ~fixture() {
    first = last = elsewhere = nullptr;
    ended.reset();
  }
};

}  // namespace

TEST_CASE("a group that cannot start is tried again after pauses that double up to a bound") {
  fixture f;
  f.failures_left = 8;
  f.spawn();
  f.run_for(120'000);
  CHECK(f.pauses_ms ==
        std::vector<std::uint32_t>{200, 400, 800, 1'600, 3'200, 6'400, 10'000, 10'000});
  REQUIRE(f.starts_ms.size() == 9);
  for (std::size_t i = 0; i < f.pauses_ms.size(); ++i) {
    CHECK(f.starts_ms[i + 1] - f.starts_ms[i] == f.pauses_ms[i]);
  }
}

TEST_CASE("roles of a start that fails have ended before the next start, and before it leaves") {
  for (const auto kind : {fixture::trouble::amid_roles, fixture::trouble::exception}) {
    for (const bool leaves : {false, true}) {
      CAPTURE(static_cast<int>(kind));
      CAPTURE(leaves);
      fixture f;
      f.kind = kind;
      f.failures_left = 2;
      f.spawn();
      CHECK(*f.ended == names{"last", "first"});
      CHECK(f.doors_closed == 1);
      CHECK(f.pauses_ms == std::vector<std::uint32_t>{200});
      if (leaves) {
        caf::anon_send_exit(f.head, caf::exit_reason::user_shutdown);
        f.run_for(60'000);
        CHECK(f.starts_ms.size() == 1);
        continue;
      }
      f.run_for(60'000);
      CHECK(f.ended_at_start == std::vector<std::size_t>{0, 2, 4});
      const auto health = f.net.ask<schema::Health>(f.head, message<schema::GetHealth>{});
      for (const auto& one : health.root().getRoles()) {
        CHECK(one.getRunning() == (view_of(one.getName()) != "process"));
        CHECK(one.getRestarts() == 0);
      }
    }
  }
}

TEST_CASE("when one role ends all own roles are stopped, the last first, and start anew together") {
  for (const bool first_dies : {true, false}) {
    CAPTURE(first_dies);
    fixture f;
    f.spawn();
    f.break_role(first_dies ? f.first : f.last);
    CHECK(*f.ended == (first_dies ? names{"first", "last"} : names{"last", "first"}));
    CHECK(f.doors_closed == 1);
    CHECK(f.starts_ms.size() == 1);  // the pause is not over yet
    f.run_for(1'000);
    REQUIRE(f.starts_ms.size() == 2);
    CHECK(f.ended_at_start[1] == 2);
    const auto health = f.net.ask<schema::Health>(f.head, message<schema::GetHealth>{});
    REQUIRE(health.root().getRoles().size() == 3);
    for (const auto& one : health.root().getRoles()) {
      const auto name = view_of(one.getName());
      CAPTURE(std::string(name));
      CHECK(one.getRunning());
      CHECK(one.getRestarts() == 1);
      const bool is_culprit = name == (first_dies ? "first" : "last");
      CHECK((view_of(one.getLastFailure()).find("disk is gone") != std::string_view::npos) ==
            is_culprit);
    }
  }
}

TEST_CASE("a role of another process that goes takes ours along; it is never stopped itself") {
  fixture f;
  f.spawn();
  f.break_role(f.last);
  CHECK(*f.ended == names{"last", "first"});  // "elsewhere" is not stopped
  f.run_for(1'000);
  REQUIRE(f.starts_ms.size() == 2);
  f.ended->clear();
  f.break_role(f.elsewhere);
  CHECK(*f.ended == names{"elsewhere", "last", "first"});
}

TEST_CASE("pauses grow while failures follow each other, and are short again after calm") {
  fixture f;
  f.spawn();
  for (int i = 0; i < 3; ++i) {
    f.break_role(f.first);
    f.run_for(5'000);
  }
  CHECK(f.pauses_ms == std::vector<std::uint32_t>{200, 400, 800});
  f.run_for(70'000);
  f.break_role(f.first);
  CHECK(f.pauses_ms.back() == 200);
}

TEST_CASE(
    "asked to leave, the supervisor drains: doors first, then roles from the last to the first") {
  for (const bool while_pausing : {false, true}) {
    CAPTURE(while_pausing);
    fixture f;
    f.spawn();
    const auto gone = std::make_shared<bool>(false);
    f.head->attach_functor([gone](const caf::error&) { *gone = true; });
    if (while_pausing) f.break_role(f.first);
    f.ended->clear();
    caf::anon_send_exit(f.head, caf::exit_reason::user_shutdown);
    f.run_for(60'000);
    CHECK(*f.ended == (while_pausing ? names{} : names{"last", "first"}));
    CHECK(f.doors_closed == 1);
    CHECK(f.starts_ms.size() == 1);
    CHECK(*gone);
  }
}
