"""The environment kserve-modelmesh: InferenceServices that KServe ModelMesh serves."""
