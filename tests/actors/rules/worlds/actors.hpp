// The people of a random world. They look at the ledger and make every kind of transaction; most of
// them can succeed and many cannot. They keep secrets between commit and reveal, and remember what
// they did, to repeat it at the wrong time.
#pragma once

#include <deque>
#include <map>

#include "messages/signing/signing.hpp"
#include "tests/actors/rules/dice.hpp"
#include "tests/actors/rules/worlds/world.hpp"

namespace soma::test {

class actors {
 public:
  explicit actors(const world& in);

  /// The next steps, up to and including the next block.
  [[nodiscard]] std::vector<step> next_block();

 private:
  struct model_secret {
    std::size_t owner = 0;
    tx::reveal_model reveal;
    epoch_number committed_in;
  };
  struct data_secret {
    std::size_t submitter = 0;
    tx::reveal_data reveal;
  };
  using deed = void (actors::*)();

  void act();
  void forget();
  step& send(std::size_t sender, transaction_kind body);
  void make_hostile(step& s);

  void transfer();
  void commit_model();
  void reveal_models();
  void retire_model();
  void judge_model();
  void claim();
  void reveal_data();
  void audit();
  void say_ok_if_called(const target_id& target);
  void deposit();
  void withdraw();
  void change_commission();
  void join();
  void leave();
  void commit_onion();
  void report();
  void again();

  [[nodiscard]] std::size_t anybody() { return d_.below(person_count_); }
  [[nodiscard]] std::uint64_t strange_amount();
  [[nodiscard]] std::uint64_t amount_of(std::size_t person);
  [[nodiscard]] hash256 strange_id();
  [[nodiscard]] std::vector<float> embedding();
  [[nodiscard]] model_id some_living_model();
  [[nodiscard]] std::optional<model_id> some_model_on_trial();
  [[nodiscard]] tx::commit_model draft(model_secret& secret);
  [[nodiscard]] std::size_t member();
  void each_member(const transaction_kind& body, std::uint64_t percent);
  [[nodiscard]] pool_owner some_pool();
  [[nodiscard]] std::optional<stake_position> some_position();
  [[nodiscard]] signature possession(std::size_t key, std::size_t person);
  [[nodiscard]] tx::report_equivocation conflicting_votes(std::size_t key);
  [[nodiscard]] tx::report_equivocation conflicting_headers(std::size_t key);
  void spoil(tx::report_equivocation& r);

  const world& in_;
  const mirror& rows_;
  const genesis_parameters& p_;
  dice d_;
  std::size_t person_count_;
  std::uint64_t hostile_percent_, bad_percent_, epoch_percent_;
  std::uint32_t lazy_ = 0;  // a bit for the validator that hardly ever signs
  std::uint64_t serial_ = 0;
  std::vector<step> steps_;
  std::vector<model_id> models_;
  std::deque<model_secret> model_secrets_;
  std::deque<data_secret> data_secrets_;
  std::vector<target_id> claimed_;
  std::map<std::pair<std::size_t, std::size_t>, signature> possessions_;
  std::deque<tx::report_equivocation> reports_;
};

}  // namespace soma::test
