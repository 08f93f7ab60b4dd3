"""A path with all methods in a definition has them on the laptop cloud."""

import pytest
from ministack.services import apigateway_v1

from local.stack.any_methods import AnyMethods

OPERATION = {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": "arn:of:a:function"}}
EVERY = {"x-amazon-apigateway-any-method": OPERATION}


@pytest.mark.parametrize(
    ("path", "resource", "methods"),
    [
        ("/v1/batches/one", "/v1/{proxy+}", {"ANY", "OPTIONS"}),
        ("/v1/docs", "/v1/docs", {"ANY"}),
        ("/v1/docs/more", "/v1/{proxy+}", {"ANY", "OPTIONS"}),
    ],
)
def test_all_methods_of_a_path_are_read(monkeypatch, path, resource, methods):
    # The name is given back at the end.
    monkeypatch.setattr(apigateway_v1, "_import_path_item", apigateway_v1._import_path_item)
    AnyMethods().install()
    definition = {
        "info": {"title": "an API"},
        "paths": {"/v1/{proxy+}": {**EVERY, "options": OPERATION}, "/v1/docs": EVERY},
    }
    api_id = apigateway_v1._import_rest_api(definition)
    found, _ = apigateway_v1._match_resource_tree(api_id, path.strip("/").split("/"))
    assert found["path"] == resource
    assert found["resourceMethods"].keys() == methods
