#include "manual.h"

static const unsigned char sweep_file[] = {
#embed "../usweep/Documentation.docc/SweepFile.md"
};
static const unsigned char inventory_file[] = {
#embed "../usweep/Documentation.docc/InventoryFile.md"
};
static const unsigned char reference[] = {
#embed "../usweep/Documentation.docc/Reference.md"
};
static const unsigned char programs[] = {
#embed "../usweep/Documentation.docc/Programs.md"
};
static const unsigned char result_files[] = {
#embed "../usweep/Documentation.docc/ResultFiles.md"
};
static const unsigned char numbers[] = {
#embed "../usweep/Documentation.docc/Numbers.md"
};
static const unsigned char spread[] = {
#embed "../usweep/Documentation.docc/Spread.md"
};
static const unsigned char tables[] = {
#embed "../usweep/Documentation.docc/Tables.md"
};
static const unsigned char figures[] = {
#embed "../usweep/Documentation.docc/Figures.md"
};
static const unsigned char reports[] = {
#embed "../usweep/Documentation.docc/Reports.md"
};
static const unsigned char workload_images[] = {
#embed "../usweep/Documentation.docc/Workloads.md"
};
static const unsigned char checkpoints[] = {
#embed "../usweep/Documentation.docc/Checkpoints.md"
};
static const unsigned char reproducing[] = {
#embed "../usweep/Documentation.docc/Reproducing.md"
};
static const unsigned char auditing[] = {
#embed "../usweep/Documentation.docc/Auditing.md"
};
static const unsigned char gem5[] = {
#embed "../usweep/Documentation.docc/Gem5.md"
};
static const unsigned char limits[] = {
#embed "../usweep/Documentation.docc/Limits.md"
};
static const unsigned char commands[] = {
#embed "../usweep/Documentation.docc/Commands.md"
};
static const unsigned char exit_codes[] = {
#embed "../usweep/Documentation.docc/ExitCodes.md"
};
static const unsigned char failure_classes[] = {
#embed "../usweep/Documentation.docc/FailureClasses.md"
};
static const unsigned char artifacts[] = {
#embed "../usweep/Documentation.docc/Artifacts.md"
};
static const unsigned char json[] = {
#embed "../usweep/Documentation.docc/JSON.md"
};
static const unsigned char resuming[] = {
#embed "../usweep/Documentation.docc/Resuming.md"
};
static const unsigned char words[] = {
#embed "../usweep/Documentation.docc/Words.md"
};
static const unsigned char own[] = {
#embed "../usweep/Documentation.docc/BringYourOwn.md"
};
static const unsigned char stuck[] = {
#embed "../usweep/Documentation.docc/Stuck.md"
};
static const unsigned char from_parallel[] = {
#embed "../usweep/Documentation.docc/FromParallel.md"
};
static const unsigned char slurm[] = {
#embed "../usweep/Documentation.docc/Slurm.md"
};
static const unsigned char from_slurm[] = {
#embed "../usweep/Documentation.docc/FromSlurm.md"
};
static const unsigned char from_vswarm[] = {
#embed "../usweep/Documentation.docc/FromVSwarm.md"
};
static const unsigned char hosts[] = {
#embed "../usweep/Documentation.docc/Hosts.md"
};
static const unsigned char reaching[] = {
#embed "../usweep/Documentation.docc/Reaching.md"
};
static const unsigned char scheduling[] = {
#embed "../usweep/Documentation.docc/Scheduling.md"
};
static const unsigned char installing[] = {
#embed "../usweep/Documentation.docc/Installing.md"
};
static const unsigned char architecture[] = {
#embed "../usweep/Documentation.docc/Architecture.md"
};
static const unsigned char formats[] = {
#embed "../usweep/Documentation.docc/Formats.md"
};
static const unsigned char extending[] = {
#embed "../usweep/Documentation.docc/Extending.md"
};

#define PAGE(topic, name, text) {topic, name, text, sizeof text}

static const struct usweep_page pages[] = {
    PAGE("sweep-file", "SweepFile", sweep_file),
    PAGE("inventory-file", "InventoryFile", inventory_file),
    PAGE("reference", "Reference", reference),
    PAGE("programs", "Programs", programs),
    PAGE("result-files", "ResultFiles", result_files),
    PAGE("numbers", "Numbers", numbers),
    PAGE("spread", "Spread", spread),
    PAGE("tables", "Tables", tables),
    PAGE("figures", "Figures", figures),
    PAGE("reports", "Reports", reports),
    PAGE("workload-images", "Workloads", workload_images),
    PAGE("checkpoints", "Checkpoints", checkpoints),
    PAGE("gem5", "Gem5", gem5),
    PAGE("limits", "Limits", limits),
    PAGE("words", "Words", words),
    PAGE("commands", "Commands", commands),
    PAGE("exit-codes", "ExitCodes", exit_codes),
    PAGE("failure-classes", "FailureClasses", failure_classes),
    PAGE("artifacts", "Artifacts", artifacts),
    PAGE("json", "JSON", json),
    PAGE("resuming", "Resuming", resuming),
    PAGE("reproducing", "Reproducing", reproducing),
    PAGE("audits", "Auditing", auditing),
    PAGE("own", "BringYourOwn", own),
    PAGE("stuck", "Stuck", stuck),
    PAGE("from-parallel", "FromParallel", from_parallel),
    PAGE("from-slurm", "FromSlurm", from_slurm),
    PAGE("slurm", "Slurm", slurm),
    PAGE("from-vswarm", "FromVSwarm", from_vswarm),
    PAGE("hosts", "Hosts", hosts),
    PAGE("reaching", "Reaching", reaching),
    PAGE("scheduling", "Scheduling", scheduling),
    PAGE("installing", "Installing", installing),
    PAGE("architecture", "Architecture", architecture),
    PAGE("formats", "Formats", formats),
    PAGE("extending", "Extending", extending),
};

size_t usweep_page_count(void) { return sizeof pages / sizeof pages[0]; }

struct usweep_page usweep_page(size_t index) {
    const struct usweep_page none = {0, 0, 0, 0};
    return index < usweep_page_count() ? pages[index] : none;
}
