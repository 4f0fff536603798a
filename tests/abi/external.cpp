// SPDX-License-Identifier: Apache-2.0
// A program in C++17 that knows nothing but the installed headers and library: places, refuses, extends, records.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include <swarm/ops.h>
#include <swarm/plugin.h>
#include <swarm/swarm.h>

namespace
{

struct Deleter {
    void operator()(swarm_cluster *cluster) const
    {
        swarm_cluster_free(cluster);
    }
    void operator()(swarm_scheduler *scheduler) const
    {
        swarm_scheduler_free(scheduler);
    }
    void operator()(swarm_registry *registry) const
    {
        swarm_registry_free(registry);
    }
    void operator()(swarm_request *request) const
    {
        swarm_request_unref(request);
    }
};
template <class T> using Owned = std::unique_ptr<T, Deleter>;

swarm_error *error;

void check(int code)
{
    if (code == 0)
        return;
    std::fprintf(stderr, "%s\n", error ? swarm_error_message(error) : swarm_strerror(code));
    std::exit(EXIT_FAILURE);
}

void require(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::exit(EXIT_FAILURE);
}

int keep_even(void *, const swarm_request *, const swarm_cluster *, swarm_candidates *candidates, int, swarm_error **)
{
    for (swarm_node *node = nullptr; (node = swarm_candidates_next(candidates, node));)
        if (std::atoi(swarm_node_id(node)) % 2)
            swarm_candidates_remove(candidates, node);
    return 0;
}

int refuse_all(void *, const swarm_request *, const swarm_cluster *, const swarm_candidates *, swarm_ranking *,
               swarm_error **reterr)
{
    return swarm_error_new(reterr, SWARM_ERR_NO_NODE, "not on a %s", "Sunday");
}

int enter(swarm_registry *registry, const char *arguments, swarm_error **reterr)
{
    swarm_filter_ops filter = SWARM_FILTER_OPS_INIT;
    swarm_strategy_ops strategy = SWARM_STRATEGY_OPS_INIT;
    filter.name = arguments;
    filter.filter = keep_even;
    strategy.name = "sundays";
    strategy.rank = refuse_all;
    int code = swarm_registry_add_filter(registry, &filter, nullptr, reterr);
    return code ? code : swarm_registry_add_strategy(registry, &strategy, nullptr, reterr);
}

Owned<swarm_scheduler> make_scheduler(const char *strategy)
{
    const swarm_plugin plugin = {SWARM_PLUGIN_HEAD, "external", enter};
    const char *filters[] = {"even", "constraint"};
    swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    swarm_registry *registry = nullptr;
    swarm_scheduler *scheduler = nullptr;
    check(swarm_registry_new(&registry, &error));
    Owned<swarm_registry> owned(registry);
    check(swarm_plugin_enter(&plugin, registry, "even", &error));
    options.strategy = strategy;
    options.filters = filters;
    options.filter_count = 2;
    options.registry = registry;
    check(swarm_scheduler_new(&scheduler, &options, &error));
    return Owned<swarm_scheduler>(scheduler);
}

Owned<swarm_cluster> make_cluster()
{
    swarm_cluster *cluster = nullptr;
    check(swarm_cluster_new(&cluster, &error));
    for (int i = 0; i < 4; i++) {
        swarm_node *node = nullptr;
        check(swarm_cluster_add_node(cluster, std::to_string(i).c_str(), nullptr, nullptr, &node, &error));
        check(swarm_node_set_capacity(node, 1000 * (i + 1), 0, &error));
    }
    return Owned<swarm_cluster>(cluster);
}

Owned<swarm_request> make_request(const char *constraint)
{
    swarm_request *request = nullptr;
    check(swarm_request_new(&request, &error));
    check(swarm_request_set_cpus_milli(request, 500, &error));
    check(swarm_request_add_constraint(request, constraint, &error));
    return Owned<swarm_request>(request);
}

std::string recorded(const swarm_cluster *cluster)
{
    char *json = nullptr;
    check(swarm_cluster_write(cluster, &json, nullptr, &error));
    std::string text(json);
    swarm_free(json);
    return text;
}

} // namespace

int main()
{
    require(std::strcmp(swarm_version(), SWARM_VERSION) == 0, "the library is the one of the headers");
    auto cluster = make_cluster();
    auto scheduler = make_scheduler("spread"), sundays = make_scheduler("sundays");
    auto request = make_request("node!=0");
    swarm_reservation *place = nullptr;
    check(swarm_scheduler_place(scheduler.get(), cluster.get(), request.get(), nullptr, &place, &error));
    require(std::string(swarm_node_id(swarm_reservation_node(place))) == "2", "an even node, not 0");
    check(swarm_reservation_commit(place, "c1", nullptr, &error));

    require(swarm_scheduler_place(sundays.get(), cluster.get(), request.get(), nullptr, &place, &error) ==
                SWARM_ERR_NO_NODE,
            "a strategy may refuse");
    require(std::strstr(swarm_error_message(error), "not on a Sunday"), "and says why");
    swarm_error_free(error);
    error = nullptr;

    std::string text = recorded(cluster.get());
    swarm_cluster *copy = nullptr;
    check(swarm_cluster_read(&copy, text.data(), text.size(), &error));
    require(recorded(copy) == text, "a state is written as it was read");
    swarm_cluster_free(copy);
    return EXIT_SUCCESS;
}
