/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model as a plugin of QEMU: what happens on core 1 goes through the model; marks in the guest say which
 * stretch of it counts. Arguments: out=FILE for the statistics, marks=FILE for the numbers of invocations begun
 * and ended (written at the end), mode=full|count, and the settings of options.h.
 *
 * QEMU must run all cores in one thread (with -icount it does): nothing here is locked.
 *
 * Instructions are counted by the block when the block is entered: where an exception ends a block early, those
 * behind it count, too, and count again when the block is taken up where it stopped.
 */
#include "decode.h"
#include "interface.h"
#include "marks.h"
#include "model.h"
#include "tasks.h"
#include "turns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MEASURED_CORE = 1, CHUNK_BLOCKS = 1024 };
enum { KINDS = 1 << 18, KIND_KNOWN = 128, KIND_STORE = 64, KIND_SIZE = 7 };

EXPORTED int qemu_plugin_version = INTERFACE_VERSION;
EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **arguments);

/* What is known of a translated block: all that is needed every time lies in one line of the host's cache. */
struct block {
    _Alignas(64) uint64_t address;
    uint64_t branch, target, next; /* of the conditional branch at its end */
    uint32_t first_line[2];        /* physical, as a number of a line; in the block's first and second page */
    uint16_t lines[2];
    uint16_t instructions;
    uint8_t side;
    bool has_branch, in_one_line;
};

/* Blocks are never given back: QEMU may run them until it ends. */
struct chunk {
    struct chunk *earlier;
    struct block blocks[CHUNK_BLOCKS];
};

static struct {
    struct model model;
    struct tasks tasks;
    FILE *out, *marks;
    bool only_counting, measuring, broken, empties;
    uint64_t begun, ended; /* invocations */
    const struct block *awaited; /* its branch has not shown yet where it went */
    struct chunk *chunk;
    unsigned used;
    uint8_t kinds[KINDS]; /* by an access's description: KIND_..., or 0 where not yet asked */
    uint64_t memory_start, memory_end, memory_offset; /* where the guest's memory lies in this process */
} state;

/* While the guest runs */

static void write_block(void)
{
    fprintf(state.out, "{\"invocation\":%" PRIu64, state.ended++);
    model_write(&state.model, state.only_counting, state.out);
    /* Before the core has gone from one task to another, nothing is known of the task that it has. */
    if (state.tasks.current) {
        tasks_settle(&state.tasks, &state.model);
        model_write_counts(state.tasks.idle, 1, "idle.", state.out);
        model_write_counts(state.tasks.others, COUNTERS, "others.", state.out);
    }
    fprintf(state.out, "}\n");
    if ((fflush(state.out) || ferror(state.out)) && !state.broken) {
        state.broken = true;
        perror("model: the statistics cannot be written");
    }
}

static void begin(bool measuring)
{
    if (measuring && state.empties)
        model_empty(&state.model);
    model_begin(&state.model);
    tasks_begin(&state.tasks);
    state.measuring = measuring;
    state.begun += measuring;
}

static void end(void)
{
    model_end(&state.model);
    if (state.measuring)
        write_block();
    state.measuring = false;
}

static void on_mark(unsigned core, void *data)
{
    switch ((enum mark)(uintptr_t)data) {
    case MARK_INVOCATION_BEGIN:
    case MARK_WARMING_BEGIN:
        begin((uintptr_t)data == MARK_INVOCATION_BEGIN);
        break;
    case MARK_INVOCATION_END:
    case MARK_WARMING_END:
        end();
        break;
    case MARK_STRANGER:
        if (core == MEASURED_CORE)
            tasks_show(&state.tasks, TASK_STRANGER);
        break;
    case MARK_COUNT:
        break;
    }
}

/* What happens seldom enough to be told one by one. */
static void on_event(unsigned core, void *data)
{
    if (core != MEASURED_CORE)
        return;
    switch ((enum instruction_kind)(uintptr_t)data) {
    case INSTRUCTION_SYSTEM_CALL:
        state.model.events[SYSTEM_CALLS]++;
        break;
    case INSTRUCTION_FAULT:
        state.model.events[PAGE_FAULTS]++;
        break;
    case INSTRUCTION_CROSSING:
        tasks_show(&state.tasks, TASK_PROGRAM);
        break;
    case INSTRUCTION_HALT:
        tasks_show(&state.tasks, TASK_IDLE);
        break;
    case INSTRUCTION_FLUSH_USER:
    case INSTRUCTION_FLUSH_ALL:
        model_flush(&state.model, (uintptr_t)data == INSTRUCTION_FLUSH_ALL);
        break;
    default:
        break;
    }
}

static void on_switch(unsigned core, qemu_plugin_meminfo_t access, uint64_t address, void *data)
{
    (void)access;
    (void)data;
    if (core == MEASURED_CORE)
        tasks_switch(&state.tasks, &state.model, address);
}

static void on_block_counted(unsigned core, void *data)
{
    const struct block *block = data;
    if (core == MEASURED_CORE)
        state.model.counters[INSTRUCTIONS][block->side] += block->instructions;
}

/* An interrupt between a branch and what follows hides the outcome: then the branch is not counted. */
static void settle_branch(const struct block *awaited, const struct block *now)
{
    if (now->address == awaited->next || now->address == awaited->target)
        model_branch(&state.model, awaited->side, awaited->branch, now->address != awaited->next);
}

/* Several lines, or a miss. */
static __attribute__((noinline)) void fetch_block(const struct block *block)
{
    struct model *model = &state.model;
    model_code_page(model, block->side, block->address >> PAGE_SHIFT);
    model_fetch(model, block->side, block->first_line[0], block->lines[0]);
    if (block->lines[1]) {
        model_code_page(model, block->side, (block->address >> PAGE_SHIFT) + 1);
        model_fetch(model, block->side, block->first_line[1], block->lines[1]);
    }
}

static void on_block(unsigned core, void *data)
{
    const struct block *block = data;
    struct model *model = &state.model;
    if (core != MEASURED_CORE)
        return;
    const struct block *awaited = state.awaited;
    state.awaited = block->has_branch ? block : NULL;
    if (awaited)
        settle_branch(awaited, block);
    model->counters[INSTRUCTIONS][block->side] += block->instructions;
    if (!block->in_one_line || !model_code_hit(model, block->side, block->address >> PAGE_SHIFT, block->first_line[0]))
        fetch_block(block);
}

/* Devices are not cached; neither is what QEMU cannot place. */
static uint64_t translate(void *context, uint64_t page)
{
    struct qemu_plugin_hwaddr *place = qemu_plugin_get_hwaddr((uint32_t)(uintptr_t)context, page << PAGE_SHIFT);
    if (!place || qemu_plugin_hwaddr_is_io(place))
        return FRAME_UNCACHED;
    return qemu_plugin_hwaddr_phys_addr(place) >> PAGE_SHIFT;
}

/* What QEMU says of an access's description, asked once for each: there are few, and asking takes time. */
static __attribute__((noinline)) uint8_t learn(qemu_plugin_meminfo_t access)
{
    uint8_t kind = (uint8_t)(KIND_KNOWN | (qemu_plugin_mem_is_store(access) ? KIND_STORE : 0) |
                             (qemu_plugin_mem_size_shift(access) & KIND_SIZE));
    if (access < KINDS)
        state.kinds[access] = kind;
    return kind;
}

static inline void access_data(unsigned core, qemu_plugin_meminfo_t access, uint64_t address, enum side side)
{
    if (core != MEASURED_CORE)
        return;
    uint8_t kind = access < KINDS ? state.kinds[access] : 0;
    if (!kind)
        kind = learn(access);
    model_data(&state.model, side, address, 1u << (kind & KIND_SIZE), kind & KIND_STORE, translate,
               (void *)(uintptr_t)access);
}

/* One function for each side, which is known when the instruction is translated. */
static void on_user_access(unsigned core, qemu_plugin_meminfo_t access, uint64_t address, void *data)
{
    (void)data;
    access_data(core, access, address, USER);
}

static void on_kernel_access(unsigned core, qemu_plugin_meminfo_t access, uint64_t address, void *data)
{
    (void)data;
    access_data(core, access, address, KERNEL);
}

/* While a block is translated */

/* The guest's memory is the one file mapping that QEMU calls memory-backend-memfd. */
static void find_memory(uint64_t host)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        uint64_t start, end, offset;
        if (!strstr(line, "memory-backend-memfd") ||
            sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start, &end, &offset) != 3)
            continue;
        if (host >= start && host < end) {
            state.memory_start = start;
            state.memory_end = end;
            state.memory_offset = offset;
        }
    }
    if (maps)
        fclose(maps);
}

static uint64_t physical_address(struct qemu_plugin_insn *instruction)
{
    uint64_t host = (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(instruction);
    if (host && !state.memory_end)
        find_memory(host);
    if (host < state.memory_start || host >= state.memory_end)
        return qemu_plugin_insn_vaddr(instruction); /* firmware: never runs while something is measured */
    return host - state.memory_start + state.memory_offset;
}

static struct block *new_block(void)
{
    if (!state.chunk || state.used == CHUNK_BLOCKS) {
        struct chunk *chunk = aligned_alloc(_Alignof(struct chunk), sizeof *chunk);
        if (!chunk) {
            fprintf(stderr, "model: out of memory\n");
            exit(1);
        }
        chunk->earlier = state.chunk;
        state.chunk = chunk;
        state.used = 0;
    }
    struct block *block = &state.chunk->blocks[state.used++];
    memset(block, 0, sizeof *block);
    return block;
}

static void add_part(struct block *block, int part, uint64_t first, uint64_t last)
{
    if (!block->lines[part])
        block->first_line[part] = model_line(&state.model, first);
    block->lines[part] = (uint16_t)(model_line(&state.model, last) - block->first_line[part] + 1);
}

/*
 * The instruction's bytes belong to the part of the block that lies in their page. QEMU tells where the first
 * byte lies; an instruction across two pages makes a block of its own, and its second page is taken to follow.
 */
static void add_lines(struct block *block, struct qemu_plugin_insn *instruction)
{
    uint64_t address = qemu_plugin_insn_vaddr(instruction), size = qemu_plugin_insn_size(instruction);
    const uint64_t within = ((uint64_t)1 << PAGE_SHIFT) - 1;
    uint64_t physical = physical_address(instruction);
    bool second = (address + size - 1) >> PAGE_SHIFT != block->address >> PAGE_SHIFT;
    if (address >> PAGE_SHIFT == block->address >> PAGE_SHIFT)
        add_part(block, 0, physical, second ? (physical | within) : physical + size - 1);
    if (second)
        add_part(block, 1, address >> PAGE_SHIFT == block->address >> PAGE_SHIFT ? (physical | within) + 1 : physical,
                 physical + size - 1);
}

static void watch_instruction(struct block *block, struct qemu_plugin_insn *instruction)
{
    uint64_t address = qemu_plugin_insn_vaddr(instruction), size = qemu_plugin_insn_size(instruction);
    struct instruction known = decode(qemu_plugin_insn_data(instruction), size);
    if (known.kind == INSTRUCTION_MARK && known.mark < MARK_COUNT)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, QEMU_PLUGIN_CB_NO_REGS,
                                               (void *)(uintptr_t)known.mark);
    if (state.only_counting)
        return;
    if (known.kind >= INSTRUCTION_FLUSH_USER && known.kind <= INSTRUCTION_HALT)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_event, QEMU_PLUGIN_CB_NO_REGS,
                                               (void *)(uintptr_t)known.kind);
    if (known.kind == INSTRUCTION_SWITCH && block->side == KERNEL)
        qemu_plugin_register_vcpu_mem_cb(instruction, on_switch, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
    if (known.kind == INSTRUCTION_BRANCH) {
        block->has_branch = true;
        block->branch = address;
        block->next = address + size;
        block->target = block->next + (uint64_t)known.distance;
    }
    add_lines(block, instruction);
    /* QEMU 7.2 mistakes what it is asked for where that is only loads or only stores: so both, told apart later. */
    qemu_plugin_register_vcpu_mem_cb(instruction, block->side == USER ? on_user_access : on_kernel_access,
                                     QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
}

static void on_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *translated)
{
    struct block *block = new_block();
    (void)id;
    block->instructions = (uint16_t)qemu_plugin_tb_n_insns(translated);
    block->address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(translated, 0));
    block->side = block->address >> 63 ? KERNEL : USER;
    for (size_t i = 0; i < block->instructions; i++)
        watch_instruction(block, qemu_plugin_tb_get_insn(translated, i));
    block->in_one_line = block->lines[0] == 1 && !block->lines[1];
    qemu_plugin_register_vcpu_tb_exec_cb(translated, state.only_counting ? on_block_counted : on_block,
                                         QEMU_PLUGIN_CB_NO_REGS, block);
}

/* Beginning and end */

static void on_end(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    bool kept = !state.marks || fprintf(state.marks, "%" PRIu64 " %" PRIu64 "\n", state.begun, state.ended) > 0;
    if (state.marks && fclose(state.marks))
        kept = false;
    if (fclose(state.out) || !kept)
        perror("model: the statistics cannot be written");
}

static bool take_argument(struct options *options, char *argument, char *error, size_t length)
{
    char *value = strchr(argument, '=');
    if (!value) {
        snprintf(error, length, "'%s' is not NAME=VALUE", argument);
        return false;
    }
    *value++ = 0;
    if (!strcmp(argument, "mode")) {
        state.only_counting = !strcmp(value, "count");
        snprintf(error, length, "mode is full or count, not '%s'", value);
        return state.only_counting || !strcmp(value, "full");
    }
    bool is_out = !strcmp(argument, "out");
    if (!is_out && strcmp(argument, "marks"))
        return options_set(options, argument, value, error, length);
    FILE **file = is_out ? &state.out : &state.marks;
    *file = fopen(value, "we");
    snprintf(error, length, "cannot write %s", value);
    return *file;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **arguments)
{
    struct options options;
    char error[256] = "";
    bool good = true;
    options_default(&options);
    for (int i = 0; i < count && good; i++)
        good = take_argument(&options, arguments[i], error, sizeof error);
    good = good && options_check(&options, error, sizeof error);
    state.empties = options.empties;
    if (good && (!info->system_emulation || strcmp(info->target_name, "x86_64") || info->system.smp_vcpus != 2)) {
        snprintf(error, sizeof error, "it needs a machine of two x86-64 cores");
        good = false;
    }
    if (good && (!state.out || !model_open(&state.model, &options) || !tasks_open(&state.tasks))) {
        snprintf(error, sizeof error, state.out ? "not enough memory" : "out=FILE is missing");
        good = false;
    }
    if (!good) {
        fprintf(stderr, "model: %s\n", error);
        return 1;
    }
    if (!turns_keep())
        fprintf(stderr, "warning: this QEMU's threads cannot be kept apart: on a loaded host, counts may differ\n");
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
