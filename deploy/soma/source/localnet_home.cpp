#include "deploy/soma/source/localnet_home.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/options.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* readers_lock_name = "readers.lock";
constexpr const char* index_name = "index.toml";

/// A folder that no local network made is neither moved nor removed. The sign of a local network is
/// the folder `data`, which it makes first. What cannot be looked into is refused for that reason.
outcome check_replaceable(const fs::path& directory) {
  std::error_code error;
  const auto found = fs::status(directory, error).type();
  if (found == fs::file_type::not_found) return {};
  if (found != fs::file_type::none && fs::exists(directory / "data", error)) return {};
  if (!error && found == fs::file_type::directory && fs::is_empty(directory, error)) return {};
  if (error && error != std::errc::not_a_directory) {
    return failed("cannot look into " + directory.string(), error.message(),
                  "make it readable, or choose another --home");
  }
  return failed("will not replace " + directory.string(),
                "it holds something other than a local network", "choose another --home");
}

constexpr const char* index_remedy =
    "correct it, or remove the file: it only has the names of models and accounts";

}  // namespace

namespace {

constexpr std::size_t max_earlier_networks = 1'000;

/// The number in a name such as "localnet.12"; 0 for every other name.
std::size_t earlier_number(const std::string& name) {
  constexpr std::string_view begin = "localnet.";
  std::size_t number = 0;
  if (!name.starts_with(begin)) return 0;
  const auto* end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + begin.size(), end, number);
  return read.ec == std::errc() && read.ptr == end ? number : 0;
}

/// A folder of the home that does not exist, whose number is above those of all earlier networks.
expected<fs::path, failure> next_earlier_folder(const fs::path& home) {
  std::size_t last = 0, found = 0;
  for (const auto& entry : fs::directory_iterator(home)) {
    const auto number = earlier_number(entry.path().filename().string());
    last = std::max(last, number);
    found += number != 0;
  }
  if (found < max_earlier_networks) return home / ("localnet." + std::to_string(last + 1));
  return failed("cannot keep the network in " + (home / "localnet").string(),
                "there are " + std::to_string(found) + " earlier ones beside it",
                "remove those that you do not need, " + (home / "localnet.1").string() + " first");
}

/// True if a network ran there to its end. Only such a one is worth keeping.
bool holds_finished_network(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory / index_name, ignored);
}

}  // namespace

expected<running_localnet, failure> fresh_localnet(const fs::path& home) {
  const auto directory = home / "localnet";
  std::error_code error;
  fs::create_directories(home, error);
  if (error)
    return failed("cannot make " + home.string(), error.message(), "choose another --home");
  auto lock = folder_lock::take(
      home / "localnet.lock",
      failure{"cannot run a local network in " + home.string(), "another one runs there",
              "wait for its end, or choose another --home"});
  if (!lock) return make_unexpected(lock.error());
  if (auto checked = check_replaceable(directory); !checked)
    return make_unexpected(checked.error());
  running_localnet made{directory, {}, std::move(*lock)};
  if (fs::exists(directory, error)) {
    // This lock ends with the function: the folder has its new place then.
    const auto alone = folder_lock::take(
        directory / readers_lock_name,
        failure{"cannot replace " + directory.string(), "another process reads it",
                "wait until `soma ask` has ended, or choose another --home"});
    if (!alone) return make_unexpected(alone.error());
    if (holds_finished_network(directory)) {
      const auto aside = next_earlier_folder(home);
      if (!aside) return make_unexpected(aside.error());
      fs::rename(directory, *aside, error);
      made.earlier = *aside;
    } else {
      fs::remove_all(directory, error);
    }
  }
  if (!error) fs::create_directories(directory, error);
  if (error)
    return failed("cannot make " + directory.string(), error.message(), "choose another --home");
  return made;
}

outcome put_back_earlier(const running_localnet& given_up) {
  if (given_up.earlier.empty()) return {};
  std::error_code error;
  fs::remove_all(given_up.directory, error);
  if (!error) fs::rename(given_up.earlier, given_up.directory, error);
  if (!error) return {};
  return failed("cannot put the earlier network back", error.message(),
                "it is kept in " + given_up.earlier.string());
}

expected<std::optional<folder_lock>, failure> read_localnet(const fs::path& directory) {
  return folder_lock::share(directory / readers_lock_name,
                            {"cannot read the network in " + directory.string(),
                             "`soma localnet` is replacing it", "try again"});
}

outcome write_localnet_index(const fs::path& directory, const localnet::localnet_report& report,
                             const model_architecture& arch) {
  json::object models, accounts;
  for (const auto& model : report.models) models.emplace_back(model.id.text(), model.name);
  for (std::size_t i = 0; i < report.models.size(); ++i) {
    accounts.emplace_back(report.models[i].owner.text(), "owner-" + std::to_string(i + 1));
  }
  for (const auto* group : {&report.submitters, &report.validators}) {
    for (const auto& one : *group) accounts.emplace_back(one.id.text(), one.name);
  }
  const auto document = json::of({{"seed", report.seed},
                                  {"architecture", weights::to_text(arch)},
                                  {"state_root", report.state_root.text()},
                                  {"models", json(std::move(models))},
                                  {"accounts", json(std::move(accounts))}});
  const auto text = to_toml(document);
  return write_named_file(
      directory / index_name,
      byte_view(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), true);
}

namespace {

/// Reads the table `name` of the index, which has names by ids. Returns what is wrong with it, and
/// where; nothing if it is right or missing.
template <class Id>
std::optional<std::string> read_names(const json& document, const char* table, const char* kind,
                                      std::map<Id, std::string>& into) {
  const auto* found = document.find(table);
  if (found == nullptr) return {};
  if (found->as_object() == nullptr) {
    return line_of(*found) + std::string(table) + " is not a table";
  }
  for (const auto& [text, name] : *found->as_object()) {
    const auto id = Id::parse(text);
    if (!id) return line_of(name) + text + " is not the id of " + kind;
    if (name.as_string() == nullptr) {
      return line_of(name) + "the name of " + kind + " is a text";
    }
    into[*id] = *name.as_string();
  }
  return {};
}

}  // namespace

expected<localnet_names, failure> names_of_localnet(const fs::path& directory) {
  localnet_names names;
  const auto path = directory / index_name;
  std::error_code error;
  if (fs::symlink_status(path, error).type() == fs::file_type::not_found) return names;
  const auto document = read_config(path);
  const auto what = "cannot read the index " + path.string();
  if (!document) return failed(what, document.error().why, index_remedy);
  const auto refused = [&](const json& at, const std::string& why) {
    return failed(what, line_of(at) + why, index_remedy);
  };
  // A local network writes all of it at once, so a file without a word was cut off.
  if (document->as_object()->empty()) return failed(what, "it is empty", index_remedy);
  for (const auto& [name, value] : *document->as_object()) {
    const std::vector<std::string> known{"seed", "architecture", "state_root", "models",
                                         "accounts"};
    if (std::ranges::find(known, name) == known.end()) {
      return refused(value, "there is no such name as " + name + nearest_of(name, known));
    }
  }
  const auto* seed = document->find("seed");
  if (seed != nullptr && !seed->is_integer()) return refused(*seed, "seed is not a whole number");
  for (const auto* text : {"architecture", "state_root"}) {
    const auto* value = document->find(text);
    if (value != nullptr && value->as_string() == nullptr) {
      return refused(*value, std::string(text) + " is not a text in quotes");
    }
  }
  auto wrong = read_names(*document, "models", "a model", names.models);
  if (!wrong) wrong = read_names(*document, "accounts", "an account", names.accounts);
  if (wrong) return failed(what, *wrong, index_remedy);
  return names;
}

}  // namespace soma::cli
