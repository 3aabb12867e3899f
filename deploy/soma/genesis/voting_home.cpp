#include "deploy/soma/genesis/voting_home.hpp"

#include "storage/files/durable.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t chain_digits = 16;

}  // namespace

fs::path votes_beside(const fs::path& key_file, const chain_id& chain) {
  auto folder = key_file;
  folder.replace_extension(".votes");
  return folder / to_hex(chain.view()).substr(0, chain_digits);
}

outcome make_voting_record(const fs::path& folder, const chain_id& chain, const public_key& key) {
  const auto what = "cannot begin a voting record in " + folder.string();
  std::error_code ignored;
  if (fs::exists(folder, ignored) && !fs::is_empty(folder, ignored)) {
    return failed(what, "there is one already",
                  "leave out --first-start: what the key has signed must not be forgotten");
  }
  try {
    files::create_directories_durably(folder.parent_path());
    votes::voting_record_store::create(folder, chain, key);
  } catch (const std::exception& error) {
    return failed(what, reason_of(error), "name a place that can be written to");
  }
  return {};
}

expected<std::shared_ptr<validator::vote_memory>, failure> open_voting_record(
    const fs::path& folder, const chain_id& chain, const public_key& key) {
  const auto what = "cannot open the voting record in " + folder.string();
  try {
    files::create_directories_durably(folder.parent_path());
    return std::make_shared<validator::vote_memory>(folder, chain, key);
  } catch (const lmdb::failure& error) {
    if (error.code() == lmdb::failure_code::already_open) {
      return failed(what, "another process uses it",
                    "stop that process first: two nodes with one key would contradict each other");
    }
    return failed(what, reason_of(error), "check its disk");
  } catch (const std::exception& error) {
    return failed(what, reason_of(error), "check its disk");
  }
}

}  // namespace soma::cli
