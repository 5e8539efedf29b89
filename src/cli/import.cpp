#include <algorithm>
#include <memory>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/input.hpp"
#include "cli/progress.hpp"
#include "cli/terminal.hpp"
#include "core/hash.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

constexpr std::size_t batch_size = 500;
constexpr std::size_t most_printed = 20;

struct Rejection {
  std::size_t line = 0;
  ErrorCode code{};
  std::string message;
};

History open_memory() {
  Options options;
  options.semantic = false;
  return actionhist::open("memory:", std::move(options));
}

// Takes lines, stores them in batches and keeps count.
class Importer {
 public:
  Importer(const Context& context, bool dry_run) : context_(context), dry_run_(dry_run) {
    if (!dry_run_) history_ = std::make_unique<History>(context_.open(Access::create));
  }

  void add(std::size_t line, std::string_view text) {
    ++lines_;
    try {
      Action action = parse_action(text);
      if (action.action_id.empty()) action.action_id = id_of_line(text);
      batch_.push_back(std::move(action));
      numbers_.push_back(line);
    } catch (const Error& error) {
      if (!about_input(error)) throw;
      reject(line, error);
    }
    if (batch_.size() == batch_size) flush();
  }

  void flush() {
    // Each batch is tried in a memory of its own, so that a long file needs no more than a short one.
    if (dry_run_) history_ = std::make_unique<History>(open_memory());
    if (!batch_.empty()) store(batch_, 0);
    batch_.clear();
    numbers_.clear();
    // Lines that are no action were rejected before those that History refused.
    std::ranges::sort(rejections_, {}, &Rejection::line);
    if (!context_.json && rejections_.size() > most_printed) rejections_.resize(most_printed);
  }

  std::size_t rejected() const noexcept { return rejected_; }
  std::string summary() const;
  void report() const;

 private:
  // Equal for lines that say the same.
  static std::string canonical_line(std::string_view text) {
    try {
      JsonDocument document;
      return canonical(document.parse(text, "action"), "action", nullptr);
    } catch (const Error&) {
      return std::string(text);  // deeper than is kept
    }
  }

  // The same for the same line of the same file, so that a file that is read again stores nothing twice. Equal lines
  // of a file are as many actions.
  std::string id_of_line(std::string_view text) {
    const std::string line = canonical_line(text);
    const int before = seen_[sha256_hex(line)]++;
    return uuid_v5(fmt::format("import {} {}", before, line));
  }

  // All in one transaction; if something is refused, each half for itself, down to the line that is to blame.
  void store(std::span<const Action> actions, std::size_t first) {
    try {
      const ActionImport done = history_->import_actions(actions);
      stored_ += static_cast<std::size_t>(done.stored);
      completed_ += static_cast<std::size_t>(done.completed);
      known_ += static_cast<std::size_t>(done.present);
    } catch (const Error& error) {
      if (!about_input(error)) throw;
      if (actions.size() == 1) return reject(numbers_[first], error);
      const std::size_t half = actions.size() / 2;
      store(actions.first(half), first);
      store(actions.subspan(half), first + half);
    }
  }

  void reject(std::size_t line, const Error& error) {
    ++rejected_;
    rejections_.push_back({line, error.code(), error.what()});
  }

  const Context& context_;
  bool dry_run_;
  std::unique_ptr<History> history_;
  std::vector<Action> batch_;
  std::vector<std::size_t> numbers_;           // of the lines of the batch
  std::unordered_map<std::string, int> seen_;  // lines without an id, by their hash
  std::vector<Rejection> rejections_;          // by line; the first ones, or all of them for --json
  std::size_t lines_ = 0;
  std::size_t stored_ = 0;
  std::size_t completed_ = 0;
  std::size_t known_ = 0;
  std::size_t rejected_ = 0;
};

std::string Importer::summary() const {
  if (dry_run_) {
    return fmt::format("{} valid, {} rejected; nothing was stored", lines_ - rejected_, rejected_);
  }
  const std::string completed = completed_ == 0 ? "" : fmt::format("{} completed, ", completed_);
  return fmt::format("{} stored, {}{} already there, {} rejected", stored_, completed, known_, rejected_);
}

void Importer::report() const {
  JsonWriter writer;
  writer.begin_object()
      .member("dry_run", dry_run_)
      .member("lines", lines_)
      .member("valid", lines_ - rejected_);
  writer.member("stored", dry_run_ ? 0 : stored_).member("completed", dry_run_ ? 0 : completed_);
  writer.member("already_there", dry_run_ ? 0 : known_);
  writer.member("rejected", rejected_).key("errors").begin_array();
  for (const Rejection& rejection : rejections_) {
    writer.begin_object().member("line", rejection.line).member("code", to_string(rejection.code));
    writer.member("message", rejection.message).end_object();
    if (!context_.json) {
      print_error_line(fmt::format("line {}: {}", rejection.line, printable(rejection.message)));
    }
  }
  if (!context_.json && rejected_ > rejections_.size()) {
    print_error_line(fmt::format("… and {} more lines", rejected_ - rejections_.size()));
  }
  context_.say(summary(), writer.end_array().end_object().take());
}

Exit import_lines(const Context& context, const std::string& path, bool dry_run) {
  LineReader reader(path);
  Importer importer(context, dry_run);
  Progress progress = context.progress(reader.bytes_in_all());
  try {
    for (std::string line; reader.next(line);) {
      if (line.find_first_not_of(" \t") == line.npos) continue;
      importer.add(reader.line_number(), line);
      progress.show(reader.bytes_read(), importer.summary());
    }
    importer.flush();
  } catch (const Error&) {
    // What was stored until here stays stored.
    progress.clear();
    importer.report();
    throw;
  }
  progress.clear();
  importer.report();
  return importer.rejected() == 0 ? Exit::done : Exit::rejected;
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  struct Arguments {
    std::string path;
    bool dry_run = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "import", "Stores actions from JSON Lines, each line once, and outcomes that came later");
  command->add_option("FILE", arguments->path, "JSON Lines, one action a line; - is stdin")
      ->required()
      ->type_name("");
  command->add_flag("--dry-run", arguments->dry_run, "Only check the lines; needs no database");
  context.on(command,
             [&context, arguments] { return import_lines(context, arguments->path, arguments->dry_run); });
}

}  // namespace actionhist::cli
