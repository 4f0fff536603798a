/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and bodies when memory runs out, at any allocation, jansson's included: an error, nothing leaked, and what
 * was there is as it was. */
#include <stdlib.h>

#include <jansson.h>

#include "fixture.h"
#include "heap.h"
#include "mem.h"
#include "request.h"

#define BODY                                                                                                           \
    "{\"Image\":\"img\",\"Env\":[\"A=1\",\"constraint:zone==/^eu/\",\"affinity:container!=~web*\","                    \
    "\"whitelist:node==a|b\",\"reschedule:on-node-failure\"],\"Labels\":{\"a\":\"b\"},\"ExposedPorts\":{\"80/tcp\":"   \
    "{}},\"CpuShares\":2,\"HostConfig\":{\"Memory\":5,\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"80\"}]},"          \
    "\"VolumesFrom\":[\"data\"],\"Links\":[\"db:d\"],\"NetworkMode\":\"container:n\",\"PidMode\":\"container:p\"},"    \
    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"n1/a\":{\"Aliases\":[\"x\"]},\"b\":{}}}}"

#define INSPECT                                                                                                        \
    "{\"Id\":\"0123456789abcdef\",\"Name\":\"/web\",\"Config\":{\"Image\":\"img\",\"Hostname\":\"0123456789ab\","      \
    "\"Env\":[\"constraint:node=x\"],\"Labels\":{\"com.docker.swarm.id\":\"s\"}},\"HostConfig\":{\"CpuShares\":512,"   \
    "\"NetworkMode\":\"n1\",\"Links\":[\"/db:/web/d\"]},\"NetworkSettings\":{\"Networks\":{\"n1\":{\"Aliases\":"       \
    "[\"0123456789ab\",\"w\"],\"IPAddress\":\"10.0.0.2\"},\"n2\":null}}}"

/** A scenario: gives 0 when it got through, SWARM_ERR_NOMEM when it did not. */
typedef int (*scenario_fn)(struct swarm_error **reterr);

static void run_out_everywhere(scenario_fn scenario)
{
    for (size_t n = 0;; n++) {
        struct swarm_error *error = NULL;
        assert_true(heap_fail(n, false));
        int rc = scenario(&error);
        bool failed = heap_failed();
        heap_restore();
        if (!failed) {
            assert_int_equal(rc, 0);
            assert_true(n > 3);
            return;
        }
        assert_int_equal(rc, SWARM_ERR_NOMEM);
        assert_int_equal(swarm_error_code(error), SWARM_ERR_NOMEM);
        swarm_error_free(error);
    }
}

static int parse_body(struct swarm_error **reterr)
{
    struct swarm_create_body *body = NULL;
    int rc = swarm_create_body_parse(&body, BODY, strlen(BODY), reterr);
    assert_true((rc == 0) == (body != NULL));
    swarm_create_body_free(body);
    return rc;
}

static int read_create(struct swarm_error **reterr)
{
    struct swarm_request *request = NULL;
    int rc = swarm_request_from_create(&request, BODY, strlen(BODY), reterr);
    swarm_request_unref(request);
    return rc;
}

static int read_inspect(struct swarm_error **reterr)
{
    struct swarm_request *request = NULL;
    int rc = swarm_request_from_inspect(&request, INSPECT, strlen(INSPECT), 4, reterr);
    swarm_request_unref(request);
    return rc;
}

static int make_again(struct swarm_error **reterr)
{
    struct swarm_create_body *body = NULL;
    int rc = swarm_create_body_from_inspect(&body, INSPECT, strlen(INSPECT), 4, reterr);
    assert_true((rc == 0) == (body != NULL));
    swarm_create_body_free(body);
    return rc;
}

static void test_parsing_runs_out_of_memory(void **state)
{
    run_out_everywhere(parse_body);
    run_out_everywhere(read_create);
    run_out_everywhere(read_inspect);
    run_out_everywhere(make_again);
}

/* ---- edits ---- */

static struct swarm_create_body *edited;

static int edit_swarm_id(struct swarm_error **reterr)
{
    return swarm_create_body_set_swarm_id(edited, "s2", reterr);
}

static int edit_constraint(struct swarm_error **reterr)
{
    return swarm_create_body_add_constraint(edited, "disk==s*", reterr);
}

static int edit_network(struct swarm_error **reterr)
{
    return swarm_create_body_set_network_mode(edited, "back", reterr);
}

static int edit_endpoint(struct swarm_error **reterr)
{
    return swarm_create_body_rename_endpoint(edited, "n1/a", "a", reterr);
}

static int take_endpoint(struct swarm_error **reterr)
{
    char *settings = NULL;
    int rc = swarm_create_body_take_endpoint(edited, "n1/a", &settings, reterr);
    swarm_free(settings);
    return rc;
}

static int write_body(struct swarm_error **reterr)
{
    char *json = NULL;
    int rc = swarm_create_body_write(edited, 4, &json, NULL, reterr);
    swarm_free(json);
    return rc;
}

static char *written(void)
{
    char *json;
    assert_int_equal(swarm_create_body_write(edited, 1, &json, NULL, NULL), 0);
    return json;
}

/** Each failed edit leaves body and request as they were. */
static void test_edits_run_out_of_memory(void **state)
{
    static const scenario_fn edits[] = {edit_swarm_id, edit_constraint, edit_network,
                                        edit_endpoint, take_endpoint,   write_body};
    for (size_t i = 0; i < COUNT(edits); i++) {
        assert_int_equal(swarm_create_body_parse(&edited, BODY, strlen(BODY), NULL), 0);
        char *before = written();
        for (size_t n = 0;; n++) {
            heap_fail(n, false);
            int rc = edits[i](NULL);
            bool failed = heap_failed();
            heap_restore();
            if (!failed)
                break;
            assert_int_equal(rc, SWARM_ERR_NOMEM);
            char *after = written();
            assert_string_equal(after, before);
            assert_null(swarm_request_swarm_id(swarm_create_body_request(edited)));
            assert_int_equal(swarm_create_body_request(edited)->extras->constraints.count, 1);
            assert_string_equal(swarm_request_network_mode(swarm_create_body_request(edited)), "container:n");
            swarm_free(after);
        }
        swarm_free(before);
        swarm_create_body_free(edited);
    }
}

/* ---- requests ---- */

static int set_all(struct swarm_request *request)
{
    int rc = swarm_request_set_name(request, "web", NULL);
    rc = rc ? rc : swarm_request_set_image(request, "img", NULL);
    rc = rc ? rc : swarm_request_set_swarm_id(request, "s", NULL);
    rc = rc ? rc : swarm_request_set_label(request, "s", "t", NULL);
    rc = rc ? rc : swarm_request_set_label(request, "s", "u", NULL);
    rc = rc ? rc : swarm_request_add_constraint(request, "zone==e*", NULL);
    rc = rc ? rc : swarm_request_add_constraint(request, "zone==/e/", NULL);
    rc = rc ? rc : swarm_request_add_affinity(request, "image==a.b", NULL);
    rc = rc ? rc : swarm_request_add_whitelist(request, "node==a", NULL);
    rc = rc ? rc : swarm_request_add_port(request, "80/tcp", "", "80", NULL);
    rc = rc ? rc : swarm_request_add_exposed_port(request, "80/tcp", NULL);
    rc = rc ? rc : swarm_request_set_network_mode(request, "container:n", NULL);
    rc = rc ? rc : swarm_request_set_pid_mode(request, "container:n", NULL);
    rc = rc ? rc : swarm_request_set_ipc_mode(request, "container:n", NULL);
    rc = rc ? rc : swarm_request_add_volumes_from(request, "d", NULL);
    return rc ? rc : swarm_request_add_link(request, "d:e", NULL);
}

static int build_and_copy(struct swarm_error **reterr)
{
    struct swarm_request *request = NULL, *copy = NULL;
    int rc = swarm_request_new(&request, reterr);
    if (rc == 0 && (rc = set_all(request)) < 0)
        swarm_request_set_name(request, "x", reterr); /* for the error: there is no memory for it either */
    if (rc == 0)
        rc = swarm_request_copy(&copy, request, reterr);
    swarm_request_unref(copy);
    swarm_request_unref(request);
    return rc;
}

static void test_requests_run_out_of_memory(void **state)
{
    run_out_everywhere(build_and_copy);
}

static void test_matching_runs_out_of_memory(void **state)
{
    struct swarm__expr expr;
    assert_int_equal(swarm__expr_init(&expr, "zone==/(a*)*b/", 14), 0);
    char subject[200];
    memset(subject, 'a', sizeof(subject));
    for (size_t n = 0;; n++) {
        struct swarm__matcher matcher = {NULL};
        heap_fail(n, true);
        int rc = swarm__expr_match(&expr, &matcher, subject, sizeof(subject));
        bool failed = heap_failed();
        heap_restore();
        swarm__matcher_finish(&matcher);
        if (!failed) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, SWARM_ERR_NOMEM);
    }
    swarm__expr_finish(&expr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parsing_runs_out_of_memory),
        cmocka_unit_test(test_edits_run_out_of_memory),
        cmocka_unit_test(test_requests_run_out_of_memory),
        cmocka_unit_test(test_matching_runs_out_of_memory),
    };
    json_set_alloc_funcs(swarm__malloc, swarm__free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
