#include "deploy/soma/source/ledger_source.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>

using namespace soma;
using namespace soma::cli;

namespace {

/// A ledger in memory that may change between two questions.
class changing_source final : public ledger_source {
 public:
  std::map<row_key, bytes> rows;
  std::function<void(std::size_t)> before_question;  // with the number of questions so far
  std::size_t questions = 0;
  evidence how = evidence::rows;
  bool answers_at_once = true;

  std::optional<bytes> find(byte_view key) override {
    if (before_question) before_question(questions);
    ++questions;
    return at(row_key(key.begin(), key.end()));
  }
  std::vector<std::optional<bytes>> find_many(std::span<const row_key> keys) override {
    if (!answers_at_once) return ledger_source::find_many(keys);
    REQUIRE(keys.size() <= 256);
    if (before_question) before_question(questions);
    ++questions;
    std::vector<std::optional<bytes>> found;
    for (const auto& key : keys) found.push_back(at(key));
    return found;
  }
  void scan(byte_view, const tables::row_visitor&) override {}
  void scan_index(tables::row_index, byte_view, const tables::row_visitor&) override {}
  std::string where() const override { return "a test"; }
  evidence proven() const override { return how; }

  /// A state with so many active models, the first of them with this number.
  void set_models(std::uint64_t first, std::uint64_t count, std::uint64_t version) {
    rows.clear();
    chain_row chain;
    chain.active_models = count;
    chain.registry_version = version;
    rows[chain_key()] = encode(chain);
    for (std::uint64_t from = 0; from < count; from += list_page_ids) {
      list_row page;
      for (auto i = from; i < std::min(count, from + list_page_ids); ++i) {
        page.ids.push_back(id_of(first + count - 1 - i));
      }
      rows[list_key({list_kind::active_models, static_cast<std::uint32_t>(from / list_page_ids)})] =
          encode(page);
    }
  }
  static hash256 id_of(std::uint64_t number) {
    hash256 id;
    for (int i = 0; i < 8; ++i) {
      id.value[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
    }
    return id;
  }

 private:
  [[nodiscard]] std::optional<bytes> at(const row_key& key) const {
    const auto found = rows.find(key);
    return found == rows.end() ? std::nullopt : std::optional(found->second);
  }
};

std::vector<hash256> ids(std::uint64_t first, std::uint64_t count) {
  std::vector<hash256> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(changing_source::id_of(first + i));
  return all;
}

}  // namespace

TEST_CASE("a list of the state is read whole, in few questions, and in order") {
  for (const std::uint64_t count : {0, 1, 64, 65, 1'000, 16'256, 16'257, 40'000}) {
    CAPTURE(count);
    changing_source source;
    source.set_models(7, count, 3);
    CHECK(source.listed(list_kind::active_models) == ids(7, count));
    CHECK(source.questions <= 2 + count / (254 * list_page_ids));
    CHECK(source.listed(list_kind::open_targets).empty());
  }
}

TEST_CASE("a list that changes while it is read is read again, and never mixed from two states") {
  for (const bool at_once : {true, false}) {
    for (std::size_t change_at = 0; change_at < 8; ++change_at) {
      CAPTURE(at_once);
      CAPTURE(change_at);
      changing_source source;
      source.answers_at_once = at_once;
      source.set_models(1, 130, 3);
      source.before_question = [&](std::size_t so_far) {
        if (so_far == change_at) source.set_models(500, 130, 4);
      };
      const auto found = source.listed(list_kind::active_models);
      CHECK((found == ids(1, 130) || found == ids(500, 130)));
    }
  }
}

TEST_CASE("a list that never stands still is given up in words") {
  changing_source source;
  source.before_question = [&](std::size_t so_far) {
    source.set_models(so_far, 20'000 + so_far, so_far);
  };
  CHECK_THROWS_AS((void)source.listed(list_kind::active_models), const source_failure&);
  CHECK(source.questions < 40);
}

TEST_CASE("programs are told what is proven of a list") {
  changing_source source;
  const auto told = [&](ledger_source::evidence how, bool is_complete) {
    source.how = how;
    auto facts = cli::json::of({});
    add_evidence(facts, source, is_complete);
    const auto* said = facts.find("proven");
    return said == nullptr ? std::string("-") : said->plain();
  };
  using enum ledger_source::evidence;
  CHECK(told(own, true) == "-");
  CHECK(told(rows, true) == "complete");
  CHECK(told(rows, false) == "rows");
  CHECK(told(nothing, true) == "nothing");
}
