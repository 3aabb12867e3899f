#include "deploy/soma/send/source_reader.hpp"

#include <doctest/doctest.h>

using namespace soma;
using namespace soma::cli;

namespace {

/// A ledger that has one block more each time it is read.
class moving_ledger final : public ledger_source {
 public:
  std::optional<bytes> find(byte_view key) override {
    if (!std::ranges::equal(key, chain_key())) return std::nullopt;
    chain_row row;
    row.height = {++height_};
    return encode(row);
  }
  void scan(byte_view, const tables::row_visitor&) override {}
  void scan_index(tables::row_index, byte_view, const tables::row_visitor&) override {}
  std::string where() const override { return "a test"; }

 private:
  std::uint64_t height_ = 6;
};

}  // namespace

TEST_CASE("a block that is tried out follows the chain as it was at the first look") {
  moving_ledger ledger;
  const auto chain = ledger.chain();
  const source_reader reader(ledger, chain);
  for (int i = 0; i < 3; ++i) {
    const auto value = reader.find(chain_key());
    REQUIRE(value);
    CHECK(decode<chain_row>(*value)->height == chain.height);
  }
  CHECK_FALSE(reader.find(committee_key()));
}
