/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <inttypes.h>
#include <string.h>

static const char *const names[COUNTERS] = {
    "instructions", "loads", "stores", "branches", "branch.misses",
    "l1i.accesses", "l1i.misses", "l1d.accesses", "l1d.misses", "l2.accesses", "l2.misses",
    "llc.accesses", "llc.misses", "itlb.misses", "dtlb.misses",
};

static const char *const event_names[EVENTS] = {"system-calls", "page-faults"};

static bool open_cache(struct cache *cache, struct cache_shape shape, uint64_t line)
{
    return cache_open(cache, shape.size / shape.ways / line, (unsigned)shape.ways);
}

bool model_open(struct model *model, const struct options *options)
{
    memset(model, 0, sizeof *model);
    model->latest_code_line = NO_CODE_LINE;
    while ((uint64_t)1 << model->line_shift < options->line)
        model->line_shift++;
    bool opened = open_cache(&model->l1i, options->l1i, options->line) &&
                  open_cache(&model->l1d, options->l1d, options->line) &&
                  open_cache(&model->l2, options->l2, options->line) &&
                  open_cache(&model->llc, options->llc, options->line) &&
                  tlb_open(&model->itlb, (unsigned)options->itlb_entries) &&
                  tlb_open(&model->dtlb, (unsigned)options->dtlb_entries) &&
                  predictor_open(&model->predictor, options->predictor, (unsigned)options->predictor_bits) &&
                  footprint_open(&model->code) && footprint_open(&model->data);
    if (!opened)
        model_close(model);
    return opened;
}

void model_close(struct model *model)
{
    cache_close(&model->l1i);
    cache_close(&model->l1d);
    cache_close(&model->l2);
    cache_close(&model->llc);
    tlb_close(&model->itlb);
    tlb_close(&model->dtlb);
    predictor_close(&model->predictor);
    footprint_close(&model->code);
    footprint_close(&model->data);
}

void model_begin(struct model *model)
{
    memset(model->counters, 0, sizeof model->counters);
    memset(model->events, 0, sizeof model->events);
    model->turn++;
    model->noting = true;
    model->latest_code_line = NO_CODE_LINE; /* so that this line is noted when it is used again */
    footprint_begin(&model->code, model->l1i.clock);
    footprint_begin(&model->data, model->l1d.clock);
}

void model_end(struct model *model)
{
    model->noting = false;
    footprint_end(&model->code);
    footprint_end(&model->data);
}

void model_empty(struct model *model)
{
    cache_empty(&model->l1i);
    cache_empty(&model->l1d);
    cache_empty(&model->l2);
    cache_empty(&model->llc);
    tlb_flush(&model->itlb, true);
    tlb_flush(&model->dtlb, true);
    predictor_empty(&model->predictor);
    model->latest_code_line = NO_CODE_LINE;
}

void model_beyond(struct model *model, enum side side, uint32_t line)
{
    model->counters[L2_ACCESSES][side]++;
    if (cache_use(&model->l2, line))
        return;
    model->counters[L2_MISSES][side]++;
    model->counters[LLC_ACCESSES][side]++;
    if (!cache_use(&model->llc, line))
        model->counters[LLC_MISSES][side]++;
}

/* Looks a data page up. The physical page number, or FRAME_UNCACHED. */
static inline uint64_t data_page(struct model *model, enum side side, uint64_t page, model_translate translate,
                                 void *context)
{
    int entry = tlb_find(&model->dtlb, page);
    if (entry < 0) {
        model->counters[DTLB_MISSES][side]++;
        entry = tlb_fill(&model->dtlb, page, translate(context, page));
    }
    return model->dtlb.content[entry].frame;
}

static inline void touch(struct model *model, enum side side, uint64_t frame, uint64_t address)
{
    const uint64_t within = ((uint64_t)1 << PAGE_SHIFT) - 1;
    if (frame == FRAME_UNCACHED) {
        model->counters[L1D_ACCESSES][side]--;
        return;
    }
    uint32_t line = model_line(model, frame << PAGE_SHIFT | (address & within));
    if (!model_first_level(model, &model->l1d, &model->data, line)) {
        model->counters[L1D_MISSES][side]++;
        model_beyond(model, side, line);
    }
}

void model_data_slowly(struct model *model, enum side side, uint64_t address, uint64_t last,
                       model_translate translate, void *context)
{
    uint64_t frame = data_page(model, side, address >> PAGE_SHIFT, translate, context);
    touch(model, side, frame, address);
    if (address >> model->line_shift == last >> model->line_shift)
        return;
    if (address >> PAGE_SHIFT != last >> PAGE_SHIFT)
        frame = data_page(model, side, last >> PAGE_SHIFT, translate, context);
    model->counters[L1D_ACCESSES][side]++;
    touch(model, side, frame, last);
}

void model_flush(struct model *model, bool all)
{
    tlb_flush(&model->itlb, all);
    tlb_flush(&model->dtlb, all);
}

uint64_t model_count(const struct model *model, enum counter counter, enum side side)
{
    uint64_t count = model->counters[counter][side];
    if (counter == L1D_ACCESSES)
        count += model->counters[LOADS][side] + model->counters[STORES][side];
    return count;
}

void model_write_counts(const uint64_t counts[], unsigned count, const char *prefix, FILE *file)
{
    for (unsigned i = 0; i < count; i++)
        fprintf(file, ",\"%s%s\":%" PRIu64, prefix, names[i], counts[i]);
}

static void write_footprint(const struct footprint *footprint, const char *what, FILE *file)
{
    const struct seen *lines = &footprint->lines;
    fprintf(file, ",\"%s.lines\":%" PRIu64 ",\"%s.pages\":%" PRIu64, what, lines->now, what, footprint->pages.now);
    fprintf(file, ",\"%s.lines.both\":%" PRIu64 ",\"%s.lines.either\":%" PRIu64, what, lines->both, what,
            seen_either(lines));
}

void model_write(const struct model *model, bool only_instructions, FILE *file)
{
    uint64_t all[COUNTERS], user[COUNTERS], kernel[COUNTERS];
    unsigned count = only_instructions ? 1 : COUNTERS;
    for (enum counter i = 0; i < COUNTERS; i++) {
        user[i] = model_count(model, i, USER);
        kernel[i] = model_count(model, i, KERNEL);
        all[i] = user[i] + kernel[i];
    }
    model_write_counts(all, count, "", file);
    model_write_counts(user, count, "user.", file);
    model_write_counts(kernel, count, "kernel.", file);
    if (only_instructions)
        return;
    for (enum event i = 0; i < EVENTS; i++)
        fprintf(file, ",\"%s\":%" PRIu64, event_names[i], model->events[i]);
    write_footprint(&model->code, "code", file);
    write_footprint(&model->data, "data", file);
}
